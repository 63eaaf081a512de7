// A host whose validator and serializer compilers are those of fastify-type-provider-zod.
import Fastify from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { z } from 'zod'

import { bearer, guarded, guardedRoute, injected, registerBeside, statuses } from './suite.mjs'

export default async function host (order) {
  const app = Fastify()
  registerBeside(app, order, () => {
    app.setValidatorCompiler(validatorCompiler)
    app.setSerializerCompiler(serializerCompiler)
  })
  guardedRoute(app)
  const schema = { body: z.object({ count: z.number() }), response: { 200: z.object({ twice: z.number() }) } }
  app.post('/twice', { schema, config: guarded }, async (request) => ({ twice: request.body.count * 2 }))
  await app.ready()

  const twice = async (payload, headers) => (await injected(app)('/twice', { method: 'POST', payload, headers })).status
  const answers = {
    ...await statuses(app),
    own: [await twice({ count: 2 }, bearer), await twice({ count: '2' }, bearer), await twice({ count: 2 }, {})]
  }
  await app.close()
  return answers
}
