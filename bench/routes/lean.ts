// An app with the plugins and routes that are measured and nothing else: no log, no hooks of the built-in server.
import { randomUUID } from 'node:crypto'

import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'

import { openDatabase } from '../../lib/database/open-database.js'
import adminGuard from '../../plugins/admin-guard/index.js'
import auditLog from '../../plugins/audit-log/index.js'
import eventSink, { memorySink } from '../../plugins/event-sink/index.js'
import type { EventSink } from '../../plugins/event-sink/index.js'
import { sqlSink } from '../../plugins/event-sink/sql/index.js'
import errorEnvelope from '../../plugins/error-envelope.js'
import metrics from '../../plugins/metrics/index.js'
import tokenStore, { SOURCE_DEFAULTS } from '../../plugins/token-store/index.js'
import type { TokenStore } from '../../plugins/token-store/index.js'
import { memoryStore } from '../../plugins/token-store/memory/index.js'
import { sqlStore } from '../../plugins/token-store/sql/index.js'
import adminAuth from '../../routes/admin/auth/index.js'
import guestToken from '../../routes/databrain/guest-token/index.js'
import embedAuthorize from '../../routes/embed-authorize/index.js'
import ingestion from '../../routes/ingestion/index.js'
import widgetToken from '../../routes/widget-token/index.js'
import { PIPELINE_KEY, SERVER_SECRET } from '../load.js'
import { listen } from '../serve.js'
import { EMBED_SECRET, EMBED_SITE, LIMITED, SHOP_KEY } from './names.js'

const DAY = 86_400_000
const { DATABASE_URL = '', UPSTREAM = '', PROXY_KEY = '', REFERENCE_KEY = '', JWT_SECRET = '', SECRETS_KEY = '' } =
  process.env

export interface LeanOptions {
  backend: 'memory' | 'postgres'
  /** Registers the metrics plugin before all others. */
  measured?: boolean
}

export async function lean ({ backend, measured = false }: LeanOptions): Promise<number> {
  const { store, sink } = await openBackend(backend)
  const app = Fastify()
  if (measured) await app.register(metrics)
  await app.register(errorEnvelope)
  await app.register(tokenStore, { store })
  await app.register(eventSink, { sink })
  await app.register(auditLog)
  await app.register(adminGuard, { jwtSecrets: [JWT_SECRET], accessTtl: 3_600_000 })
  await app.register(adminAuth, { userRateLimit: false })
  await app.register(ingestion, { rateLimit: false, eventRate: false })
  await embedRoutes(app)
  app.get('/internal', { config: { gatehouse: { admin: true } } }, async () => ({ ok: true }))
  await sourcesAndSessions(app, store)
  return await listen(app)
}

async function openBackend (backend: LeanOptions['backend']): Promise<{ store: TokenStore, sink: EventSink }> {
  if (backend === 'memory') {
    return { store: memoryStore({ maxClaims: 10_000_000 }), sink: memorySink({ capacity: Infinity }) }
  }
  const database = await openDatabase({ url: DATABASE_URL })
  return {
    store: sqlStore(database, { secretsKeys: [SECRETS_KEY] }),
    sink: await sqlSink(database, { maxPending: 100_000 })
  }
}

async function embedRoutes (app: FastifyInstance): Promise<void> {
  const unlimited = { rateLimit: false, userRateLimit: false } as const
  const guest = {
    proxyKeys: [PROXY_KEY],
    userReferenceKeys: [REFERENCE_KEY],
    apiKey: 'the-key-of-the-analytics-API',
    apiUrl: UPSTREAM,
    dataAppName: 'sales'
  }
  await app.register(guestToken, { ...guest, ...unlimited })
  await app.register(async (scope) => {
    const rateLimit = { max: 1, timeWindow: DAY }
    await scope.register(guestToken, { ...guest, ...unlimited, rateLimit, prefix: LIMITED })
  })
  await app.register(widgetToken, {
    secret: 'the secret of a product that is measured',
    issuer: 'acme',
    session: 'web',
    filters: ['NYSE', 'NASDAQ'],
    authorize: () => ({ user: 'customer-42', tenant: 'north' }),
    ...unlimited
  })
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: UPSTREAM + EMBED_SITE, embedSecret: EMBED_SECRET }],
    authorize: () => ({ email: 'viewer@example.com', tenant: 'acme' }),
    rateLimit: false
  })
}

/** Creates the sources, and the routes that give the bench tokens of an administrator. */
async function sourcesAndSessions (app: FastifyInstance, store: TokenStore): Promise<void> {
  const source = { orgId: 'bench', name: 'bench', ...SOURCE_DEFAULTS, serverSecret: SERVER_SECRET }
  await store.sources.create({ ...source, pipelineKey: PIPELINE_KEY })
  await store.sources.create({ ...source, pipelineKey: SHOP_KEY, domains: ['shop.example.com'] })
  const endsAt = Date.now() + DAY
  const user = { orgId: 'bench', email: 'lean@example.com', passwordHash: '', role: 'admin' } as const
  const { id: sub } = await store.users.create(user)

  async function startSession () {
    const [id, org] = [randomUUID(), 'bench']
    const refresh = app.adminTokens.issueRefresh({ sub, org_id: org, sid: id, endsAt })
    await store.sessions.start({
      id,
      userId: sub,
      orgId: org,
      mfaAt: null,
      sso: null,
      epoch: 0,
      refreshDigest: refresh.digest,
      endsAt,
      ip: '127.0.0.1',
      userAgent: ''
    })
    const access = app.adminTokens.issueAccess({ sub, org_id: org, role: 'admin', sid: id, epoch: 0, endsAt })
    return { access_token: access, refresh_token: refresh.token }
  }
  app.get('/bench/session', startSession)
}
