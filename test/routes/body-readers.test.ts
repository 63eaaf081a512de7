import multipart from '@fastify/multipart'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import rawBody from 'fastify-raw-body'
import t from 'tap'
import type { Test } from 'tap'

import eventSink from '../../plugins/event-sink/index.js'
import { memorySink } from '../../plugins/event-sink/memory/index.js'
import signature from '../../plugins/signature.js'
import tokenStore from '../../plugins/token-store/index.js'
import { memoryStore } from '../../plugins/token-store/memory/index.js'
import ingestion from '../../routes/ingestion/index.js'
import { signBody } from '../../signing/datafly/body-signature.js'
import { makeSource } from '../helpers/source.js'

type Register = (app: FastifyInstance) => unknown

const SECRET = 'a server secret'
const json = { 'content-type': 'application/json' }

/** Third-party plugins that read bodies, as hosts register them. */
const READERS: Record<string, Register> = {
  'fastify-raw-body for all routes': (app) => app.register(rawBody, { global: true }),
  'fastify-raw-body for all routes, as bytes and before other hooks': (app) =>
    app.register(rawBody, { global: true, runFirst: true, encoding: false }),
  '@fastify/multipart': (app) => app.register(multipart),
  '@fastify/multipart that attaches fields': (app) => app.register(multipart, { attachFieldsToBody: true })
}

/** Registers `ours` and a reader in the given order. */
async function listening (
  t: Test,
  order: string,
  reader: Register,
  ours: Register,
  routes: Register = () => {}
): Promise<string> {
  const app = Fastify()
  t.teardown(() => app.close())
  for (const register of order === 'before' ? [reader, ours] : [ours, reader]) await register(app)
  await routes(app)
  return await app.listen({ port: 0, host: '127.0.0.1' })
}

for (const [what, reader] of Object.entries(READERS)) {
  for (const order of ['before', 'after']) {
    t.test(`with ${what} registered ${order} it, the signature guard verifies the bytes on the wire`, async (t) => {
      const url = await listening(
        t,
        order,
        reader,
        (app) => app.register(signature, { secrets: () => [SECRET] }),
        (app) => {
          app.post(
            '/signed',
            { config: { gatehouse: { signature: 'required' } } },
            async ({ body, signedBody }) => ({ body, signed: signedBody?.toString() })
          )
        }
      )
      const body = '{ "event" : "\\u00e9",  "a": 1.0 }'
      const send = async (signed: string) =>
        await fetch(`${url}/signed`, {
          method: 'POST',
          headers: { ...json, 'x-datafly-signature': signBody(SECRET, signed) },
          body
        })
      const reply = await send(body)
      t.equal(reply.status, 200)
      t.same(await reply.json(), { body: { event: 'é', a: 1 }, signed: body })
      t.equal((await send(JSON.stringify(JSON.parse(body)))).status, 401)
    })

    t.test(`with ${what} registered ${order} it, ingestion verifies signatures and stores events`, async (t) => {
      const store = memoryStore()
      const sink = memorySink()
      const { key, secret } = await makeSource(store)
      const url = await listening(t, order, reader, async (app) => {
        await app.register(tokenStore, { store })
        await app.register(eventSink, { sink })
        await app.register(ingestion)
      })
      const body = '{ "type": "track", "event" : "\\u00e9",  "userId": "u" }'
      const post = async (headers: Record<string, string>) => {
        const reply = await fetch(`${url}/v1/events`, {
          method: 'POST',
          headers: { ...json, authorization: `Bearer ${key}`, ...headers },
          body
        })
        return [reply.status, await reply.text()]
      }
      t.same(await post({ 'x-datafly-signature': signBody(secret, body) }), [200, '{"success":true}'])
      t.match(await post({ 'x-datafly-signature': signBody(secret, JSON.stringify(JSON.parse(body))) }), [401,
        /INVALID_SIGNATURE/])
      const track = await fetch(`${url}/v1/t`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain', authorization: `Bearer ${key}` },
        body: body.replace('"u"', '"v"')
      })
      t.equal(track.status, 200)
      const { data } = await sink.list('acme', {}, { limit: 10 })
      t.match(data.map(({ authMethod, payload }) => [authMethod, JSON.parse(payload)]).reverse(), [
        ['signature', { event: 'é', userId: 'u' }],
        ['key', { event: 'é', userId: 'v' }]
      ])
    })
  }
}
