import fp from 'fastify-plugin'
import { userReference } from 'fastify-gatehouse'

export default fp(async (app) => {
  const { USER_REFERENCE_KEY = '' } = process.env
  await app.register(userReference, { keys: [USER_REFERENCE_KEY] })
})
