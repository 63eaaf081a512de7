// A host that documents its routes with @fastify/swagger and the security schemes of the suite.
import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import { securitySchemes } from 'fastify-gatehouse/schemas'

import { guardedRoute, registerBeside, statuses } from './suite.mjs'

export default async function host (order) {
  const app = Fastify()
  const openapi = { info: { title: 'Host', version: '1.0.0' }, components: { securitySchemes } }
  registerBeside(app, order, () => app.register(swagger, { openapi }))
  app.register(async (scope) => guardedRoute(scope))
  await app.ready()
  const { paths } = app.swagger()
  const answers = { ...await statuses(app), security: paths['/guarded'].get.security }
  // @fastify/swagger sees the routes that are declared after it.
  const own = ['/v1/t', '/api/generate-token', '/v1/admin/auth/login']
  if (order === 'before') answers.documented = own.every((path) => path in paths)
  await app.close()
  return answers
}
