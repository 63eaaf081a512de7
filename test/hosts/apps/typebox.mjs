// A host whose validator compiler is that of @fastify/type-provider-typebox.
import { Type, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'

import { bearer, guarded, guardedRoute, injected, registerBeside, statuses } from './suite.mjs'

export default async function host (order) {
  const app = Fastify()
  registerBeside(app, order, () => app.setValidatorCompiler(TypeBoxValidatorCompiler))
  guardedRoute(app)
  const response = { 200: Type.Object({ twice: Type.Number() }) }
  const schema = { body: Type.Object({ count: Type.Number() }), response }
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
