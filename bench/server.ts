// One server under test, in a process of its own: `server.ts <variant>`; prints its port, then serves until it is killed.
import { mkdtemp } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import Fastify from 'fastify'

import { openDatabase } from '../plugins/database/open-database.js'
import { sqlSink } from '../plugins/event-sink/sql.js'
import eventSink, { memorySink } from '../plugins/event-sink/index.js'
import type { RateLimitOptions } from '../plugins/rate-limit.js'
import tokenStore, { SOURCE_DEFAULTS } from '../plugins/token-store/index.js'
import { memoryStore } from '../plugins/token-store/memory.js'
import ingestion from '../routes/ingestion/index.js'
import { PIPELINE_KEY } from './load.js'

const variants: Record<string, () => Promise<ReturnType<typeof Fastify>>> = {
  async bare () {
    const app = Fastify()
    app.post('/v1/t', async () => ({ success: true }))
    return app
  },
  noop: () => gateway({ ...memorySink(), write: async () => {} }),
  'noop, limited': () => gateway({ ...memorySink(), write: async () => {} }, { max: 1_000_000_000, timeWindow: 1_000 }),
  memory: () => gateway(memorySink({ capacity: Infinity })),
  async pglite () {
    return await gateway(await sqlSink(await openDatabase({ dataDir: await mkdtemp(join(tmpdir(), 'bench-')) })))
  }
}

async function gateway (sink: ReturnType<typeof memorySink>, rateLimit: RateLimitOptions = false) {
  const app = Fastify()
  const store = memoryStore()
  await store.sources.create({
    orgId: 'bench',
    name: 'bench',
    ...SOURCE_DEFAULTS,
    pipelineKey: PIPELINE_KEY,
    serverSecret: 'not used by this bench'
  })
  await app.register(tokenStore, { store })
  await app.register(eventSink, { sink })
  await app.register(ingestion, { rateLimit })
  return app
}

const make = variants[process.argv[2] ?? '']
if (make === undefined) throw new Error(`variants: ${Object.keys(variants).join(', ')}`)
const app = await make()
await app.listen({ port: 0, host: '127.0.0.1' })
process.send?.((app.server.address() as AddressInfo).port)
