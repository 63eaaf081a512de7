import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import t from 'tap'
import { z } from 'zod'

import ingestion from '../../../routes/ingestion/index.js'
import widgetToken from '../../../routes/widget-token/index.js'
import { securitySchemes } from '../../../schemas/index.js'

t.test("the document of a host that transforms Zod schemas contains the suite's routes with " +
  'their own schemas', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  await app.register(swagger, {
    openapi: { info: { title: 't', version: '1' }, components: { securitySchemes } },
    transform: jsonSchemaTransform
  })
  await app.register(ingestion)
  await app.register(widgetToken, { secret: 's', issuer: 'a', session: 'b', authorize: () => 'u' })
  app.post('/own', { schema: { body: z.object({ count: z.number() }) } }, async () => ({ ok: true }))
  await app.ready()
  t.match(app.swagger(), {
    paths: {
      '/v1/t': { post: { requestBody: { content: { 'application/json': { schema: { type: 'object' } } } } } },
      '/api/generate-token': {
        get: { responses: { 200: { content: { 'application/json': { schema: { type: 'object' } } } } } }
      },
      '/own': {
        post: {
          requestBody: {
            content: { 'application/json': { schema: { properties: { count: { type: 'number' } } } } }
          }
        }
      }
    }
  })
})
