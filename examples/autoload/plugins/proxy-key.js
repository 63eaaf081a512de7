import fp from 'fastify-plugin'
import { proxyKey } from 'fastify-gatehouse'

export default fp(async (app) => {
  const { REPORTS_KEY = '' } = process.env
  await app.register(proxyKey, { keys: [REPORTS_KEY] })
})
