// The server of the benchmark of lists, with stored events and an administrator:
// `lists-server.ts <pglite or postgres>`.
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import pg from 'pg'

import { openDatabase } from '../lib/database/open-database.js'
import type { Database } from '../lib/database/open-database.js'
import adminGuard from '../plugins/admin-guard/index.js'
import eventSink from '../plugins/event-sink/index.js'
import { sqlSink } from '../plugins/event-sink/sql/index.js'
import tokenStore, { SOURCE_DEFAULTS } from '../plugins/token-store/index.js'
import type { TokenStore } from '../contracts/token-store/index.js'
import { sqlStore } from '../plugins/token-store/sql/index.js'
import adminApi from '../routes/admin/api/index.js'
import ingestion from '../routes/ingestion/index.js'
import { fillLists } from './lists-fill.js'
import { PIPELINE_KEY, SERVER_SECRET } from './load.js'
import { listen, serve } from './serve.js'

const { DATABASE_URL = '' } = process.env
const EVENTS = Number(process.env.EVENTS ?? 1_000_000)
const DAY = 86_400_000
const SECRET = 'the secret of the tokens of this bench, k7Qd-2mVx9_pLw4ZtR8yBn3H'

let statements = 0
countStatements()

async function gateway (database: Database): Promise<number> {
  await fillLists(database, { events: EVENTS })
  const store = sqlStore(database, { secretsKeys: ['a key that seals what this bench stores'] })
  await createSource(store)
  const app = Fastify()
  await app.register(tokenStore, { store })
  await app.register(eventSink, { sink: await sqlSink(database) })
  await app.register(adminGuard, { jwtSecrets: [SECRET], accessTtl: 3_600_000 })
  await app.register(ingestion, { rateLimit: false, eventRate: false })
  await app.register(adminApi, { userRateLimit: false })
  const token = await signIn(app, store)
  app.get('/token', async () => token)
  app.get('/healthz', async () => 'ok')
  app.get('/statements', async () => statements)
  return await listen(app)
}

async function createSource (store: TokenStore): Promise<void> {
  const source = { ...SOURCE_DEFAULTS, pipelineKey: PIPELINE_KEY, serverSecret: SERVER_SECRET }
  await store.sources.create({ orgId: 'bench', name: 'bench', ...source })
}

/** Creates an administrator and a session; resolves with its access token. */
async function signIn (app: FastifyInstance, store: TokenStore): Promise<string> {
  const endsAt = Date.now() + DAY
  const { id: sub } = await store.users.create({
    orgId: 'bench',
    email: 'admin@example.com',
    passwordHash: '',
    role: 'admin'
  })
  await store.sessions.start({
    id: 'session',
    userId: sub,
    orgId: 'bench',
    mfaAt: null,
    sso: null,
    epoch: 0,
    refreshDigest: '',
    endsAt,
    ip: '127.0.0.1',
    userAgent: ''
  })
  return app.adminTokens.issueAccess({ sub, org_id: 'bench', role: 'admin', sid: 'session', epoch: 0, endsAt })
}

/** Counts the queries to PostgreSQL and to the thread of the embedded database. */
function countStatements (): void {
  for (
    const [owner, method, counts] of [
      [pg.Client.prototype, 'query', () => true],
      [Worker.prototype, 'postMessage',
        (message: unknown) => typeof message === 'object' && message !== null && 'sql' in message]
    ] as unknown as Array<[Record<string, unknown>, string, (message: unknown) => boolean]>
  ) {
    const original = owner[method] as (...parameters: unknown[]) => unknown
    owner[method] = function counted (this: unknown, ...parameters: unknown[]) {
      if (counts(parameters[0])) statements++
      return Reflect.apply(original, this, parameters) as unknown
    }
  }
}

await serve({
  pglite: async () => await gateway(await openDatabase({ dataDir: await mkdtemp(join(tmpdir(), 'bench-')) })),
  postgres: async () => await gateway(await openDatabase({ url: DATABASE_URL }))
})
