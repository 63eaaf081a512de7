// An event gateway that stores events in PostgreSQL: pages and servers send them, internal services read them.
import { fileURLToPath } from 'node:url'

import Fastify from 'fastify'
import { eventSink, ingestion, proxyKey, tokenStore } from 'fastify-gatehouse'
import { viewEvent } from 'fastify-gatehouse/event-sink'

import { openStore } from './store.js'

/** @param {import('fastify').FastifyServerOptions} [options] */
export async function build (options = {}, env = process.env) {
  const { INTERNAL_KEY = '', TRUST_PROXY } = env
  // Behind a reverse proxy set TRUST_PROXY to its address: rate limits count by client address.
  const app = Fastify({ ...options, ...TRUST_PROXY ? { trustProxy: TRUST_PROXY } : {} })
  const { database, store, sink } = await openStore(env)
  // The hook that is added first runs last: what waits in the sink is written before the database is closed.
  app.addHook('onClose', () => database.close())
  await app.register(tokenStore, { store })
  await app.register(eventSink, { sink, retention: 90 * 24 * 60 * 60 * 1000 })
  await app.register(ingestion)
  await app.register(proxyKey, { keys: [INTERNAL_KEY] })

  app.get('/internal/events', {
    schema: { querystring: { type: 'object', properties: { limit: { type: 'integer', minimum: 1, maximum: 100 } } } },
    config: { gatehouse: { proxyKey: true } }
  }, async (/** @type {import('fastify').FastifyRequest<{ Querystring: { limit?: number } }>} */ { query }) => {
    const { data } = await sink.list('default', {}, { limit: query.limit ?? 20 })
    return data.map(viewEvent)
  })

  app.get('/readyz', async () => {
    await Promise.all([store.ready(), sink.ready()])
    return { ready: true }
  })
  return app
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = await build({ logger: true })
  await app.listen({ port: Number(process.env.PORT ?? 3000) })
  // Requests in flight are finished and events are written before the process ends.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close())
}
