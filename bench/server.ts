// One server under test, in a separate process: `server.ts <variant>`. Reports its port and serves until it is killed.
import { jetstreamManager } from '@nats-io/jetstream'
import Fastify from 'fastify'
import type { FastifyServerOptions } from 'fastify'

import { openDatabase } from '../lib/database/open-database.js'
import { GroupCommit } from '../plugins/event-sink/group-commit.js'
import { connectNats, jetstreamSink } from '../plugins/event-sink/jetstream/index.js'
import type { JetstreamSinkOptions } from '../plugins/event-sink/jetstream/index.js'
import { EventCopy } from '../plugins/event-sink/sql/copy.js'
import { sqlSink } from '../plugins/event-sink/sql/index.js'
import eventSink, { memorySink } from '../plugins/event-sink/index.js'
import type { EventSink } from '../plugins/event-sink/index.js'
import metrics from '../plugins/metrics/index.js'
import tokenStore, { SOURCE_DEFAULTS } from '../plugins/token-store/index.js'
import { memoryStore } from '../plugins/token-store/memory/index.js'
import ingestion from '../routes/ingestion/index.js'
import { PIPELINE_KEY, SERVER_SECRET } from './load.js'
import { listen, serve } from './serve.js'

const { DATABASE_URL = '', NATS_URL = '' } = process.env

const noopSink: EventSink = { write: async () => {}, ready: async () => {}, close: async () => {} }
// As the built-in server logs, but to no file.
const LOGGER = { level: 'info', stream: { write () {} } }

const variants: Record<string, () => Promise<number>> = {
  bare () {
    const app = Fastify()
    app.post('/v1/t', async () => ({ success: true }))
    return listen(app)
  },
  noop: () => gateway(noopSink),
  'noop metrics': () => gateway(noopSink, { measured: true }),
  'noop logged': () => gateway(noopSink, { logger: LOGGER }),
  'noop logged metrics': () => gateway(noopSink, { logger: LOGGER, measured: true }),
  memory: () => gateway(memorySink({ capacity: Infinity })),
  postgres: async () => gateway(await postgresSink()),
  'postgres metrics': async () => gateway(await postgresSink(), { measured: true }),
  'postgres logged': async () => gateway(await postgresSink(), { logger: LOGGER }),
  'postgres logged metrics': async () => gateway(await postgresSink(), { logger: LOGGER, measured: true }),
  async 'postgres repeats kept' () {
    const { copy } = await openDatabase({ url: DATABASE_URL })
    const rows = new EventCopy()
    const commit = new GroupCommit({ maxPending: 100_000, flush: async (events) => copy?.([rows.events(events)]) })
    return await gateway({
      write: (events) => commit.write(events),
      ready: async () => {},
      close: () => commit.close()
    })
  },
  jetstream: () => streaming('event'),
  'jetstream packed': () => streaming('flush')
}

async function streaming (packing: NonNullable<JetstreamSinkOptions['packing']>): Promise<number> {
  const connection = await connectNats({ url: NATS_URL })
  // Data of the previous round.
  await (await jetstreamManager(connection)).streams.delete('events').catch(() => {})
  return await gateway(await jetstreamSink({ connection, packing, maxPending: 100_000 }))
}

async function postgresSink (): Promise<EventSink> {
  return await sqlSink(await openDatabase({ url: DATABASE_URL }), { maxPending: 100_000 })
}

interface GatewayOptions {
  logger?: FastifyServerOptions['logger']
  /** Whether the app has metrics. */
  measured?: boolean
}

async function gateway (
  sink: EventSink,
  { logger = false, measured = false }: GatewayOptions = {}
): Promise<number> {
  const app = Fastify({ logger })
  if (measured) await app.register(metrics)
  const store = memoryStore()
  await store.sources.create({
    orgId: 'bench',
    name: 'bench',
    ...SOURCE_DEFAULTS,
    pipelineKey: PIPELINE_KEY,
    serverSecret: SERVER_SECRET
  })
  await app.register(tokenStore, { store })
  await app.register(eventSink, { sink })
  app.get('/healthz', async () => 'ok')
  await app.register(ingestion, { rateLimit: false, eventRate: false })
  return await listen(app)
}

await serve(variants)
