import { Transform } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'

import eventSink from '../../../plugins/event-sink/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import ingestion from '../../../routes/ingestion/index.js'
import { backend } from '../../helpers/backend.js'
import { makeSource } from '../../helpers/source.js'

const LOOK_UP = 100

const HOSTS: ReadonlyArray<readonly [name: string, prepare: (app: FastifyInstance) => Promise<unknown>]> = [
  ['a preParsing hook that replaces the stream',
    async (app) =>
      app.addHook('preParsing', async (_request, _reply, payload) => {
        return payload.pipe(new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) }))
      })],
  ['an onRequest hook that waits', async (app) => app.addHook('onRequest', async () => sleep(10))]
]

for (const [name, prepare] of HOSTS) {
  t.test(`events are stored in a host with ${name}, also during the look-up of a key`, async (t) => {
    const { store, sink } = await backend(t)
    const { key } = await makeSource(store)
    const { sources } = store
    const slow = Object.assign(Object.create(sources) as typeof sources, {
      resolve: async (key: string) => sleep(LOOK_UP).then(() => sources.resolve(key))
    })
    const app = Fastify()
    t.teardown(() => app.close())
    await prepare(app)
    await app.register(tokenStore, { store: Object.assign(Object.create(store) as typeof store, { sources: slow }) })
    await app.register(eventSink, { sink })
    await app.register(ingestion)
    const origin = await app.listen({ host: '127.0.0.1', port: 0 })
    for (const pad of ['', 'x'.repeat(60_000)]) {
      for (
        const [path, body, headers] of [
          ['/v1/t', { event: 'E', pad }, { authorization: `Bearer ${key}` }],
          ['/v1/t', { event: 'E', pad, writeKey: key }, {}],
          ['/v1/batch', { batch: [{ type: 'page', pad }] }, { authorization: `Bearer ${key}` }]
        ] as const
      ) {
        const response = await fetch(origin + path, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(5_000)
        })
        t.equal(response.status, 200, `${path} with ${pad.length} characters more`)
      }
    }
  })
}
