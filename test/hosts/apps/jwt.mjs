// A host with @fastify/jwt for tokens of its own: `node run.mjs jwt <order> [<namespace>]`.
import jwt from '@fastify/jwt'
import Fastify from 'fastify'

import { guardedRoute, injected, registerBeside, statuses } from './suite.mjs'

const [, , , , namespace] = process.argv

export default async function host (order) {
  const app = Fastify()
  const options = { secret: 'the secret of the host', ...namespace && { namespace } }
  registerBeside(app, order, () => app.register(jwt, options))
  guardedRoute(app)
  app.get('/own', async (request) => namespace ? request[`${namespace}JwtVerify`]() : request.jwtVerify())
  await app.ready()

  const ask = injected(app)
  const token = (namespace ? app.jwt[namespace] : app.jwt).sign({ sub: 'ann' })
  const status = async (url, headers) => (await ask(url, { headers })).status
  const headers = { authorization: `Bearer ${token}` }
  const answers = {
    ...await statuses(app),
    ownToken: [await status('/own'), await status('/own', headers)],
    asAdministrator: await status('/v1/admin/auth/me', headers)
  }
  await app.close()
  return answers
}
