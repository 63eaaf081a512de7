// A backend that takes events from its own pages, adds the signed-in user, and sends them signed to an event gateway.
// The schemas of the suite type the handler: `request.body` and the response need no interfaces of their own.
import { fileURLToPath } from 'node:url'

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import Fastify from 'fastify'
import type { FastifyServerOptions } from 'fastify'
import { UNAUTHORIZED, UPSTREAM_ERROR, errorEnvelope, signTimestampedBody, userReference } from 'fastify-gatehouse'
import { AcceptedSchema, EventSchema, errorReplies } from 'fastify-gatehouse/schemas'

const ReplySchema = Type.Composite([AcceptedSchema, Type.Object({ userId: Type.String({ maxLength: 512 }) })])

export async function build (options: FastifyServerOptions = {}, env: NodeJS.ProcessEnv = process.env) {
  const { GATEWAY_URL = '', PIPELINE_KEY = '', SERVER_SECRET = '', USER_REFERENCE_KEY = '' } = env
  // Events allow `null` and integers where they allow strings, which Ajv logs unless union types are allowed.
  const ajv = { customOptions: { allowUnionTypes: true } }
  const app = Fastify({ ajv, ...options }).withTypeProvider<TypeBoxTypeProvider>()
  await app.register(errorEnvelope)
  await app.register(userReference, { keys: [USER_REFERENCE_KEY] })

  app.post('/events', {
    schema: { body: EventSchema, response: { 200: ReplySchema, ...errorReplies(400, 401, 502) } },
    config: { gatehouse: { userReference: true } }
  }, async (request) => {
    if (request.userReference === null) throw new UNAUTHORIZED()
    const { sub: userId } = request.userReference
    // `type` is one of the six event types, `properties` an object: a typo here does not compile.
    const { type, event, name, properties, messageId } = request.body
    const accepted = await send({ type, event, name, properties, messageId, userId })
    return { ...accepted, userId }
  })

  async function send (event: object) {
    const body = JSON.stringify(event)
    const timestamp = String(Date.now())
    const response = await fetch(`${GATEWAY_URL}/v1/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${PIPELINE_KEY}`,
        'content-type': 'application/json',
        'x-signature': signTimestampedBody(SERVER_SECRET, timestamp, body),
        'x-timestamp': timestamp
      },
      body,
      signal: AbortSignal.timeout(5_000)
    })
    const reply: unknown = await response.json()
    if (!response.ok || !Value.Check(AcceptedSchema, reply)) throw new UPSTREAM_ERROR()
    return reply
  }
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = await build({ logger: true })
  await app.listen({ port: Number(process.env.PORT ?? 3000) })
}
