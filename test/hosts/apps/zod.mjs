// A host whose compilers and OpenAPI document are made by fastify-type-provider-zod.
import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { securitySchemes } from 'fastify-gatehouse/schemas'
import { z } from 'zod'

import { bearer, guarded, guardedRoute, injected, registerBeside, statuses } from './suite.mjs'

export default async function host (order) {
  const app = Fastify()
  registerBeside(app, order, () => {
    app.setValidatorCompiler(validatorCompiler)
    app.setSerializerCompiler(serializerCompiler)
    app.register(swagger, { openapi: { components: { securitySchemes } }, transform: jsonSchemaTransform })
  })
  guardedRoute(app)
  const schema = { body: z.object({ count: z.number() }), response: { 200: z.object({ twice: z.number() }) } }
  app.register(async (scope) => {
    scope.post('/twice', { schema, config: guarded }, async (request) => ({ twice: request.body.count * 2 }))
  })
  await app.ready()

  const twice = async (payload, headers) => (await injected(app)('/twice', { method: 'POST', payload, headers })).status
  const answers = {
    ...await statuses(app),
    security: app.swagger().paths['/twice'].post.security,
    own: [await twice({ count: 2 }, bearer), await twice({ count: '2' }, bearer), await twice({ count: 2 }, {})]
  }
  await app.close()
  return answers
}
