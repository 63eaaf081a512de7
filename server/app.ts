import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'

import auditLog from '../plugins/audit-log/index.js'
import errorEnvelope from '../plugins/error-envelope.js'
import eventSink from '../plugins/event-sink/index.js'
import type { EventSink } from '../contracts/event-sink.js'
import metrics from '../plugins/metrics/index.js'
import tokenStore from '../plugins/token-store/index.js'
import type { TokenStore } from '../contracts/token-store/index.js'
import userReference from '../plugins/user-reference/index.js'
import adminApi from '../routes/admin/api/index.js'
import adminAuth from '../routes/admin/auth/index.js'
import adminKeys from '../routes/admin/keys/index.js'
import adminUsers from '../routes/admin/users/index.js'
import scim from '../routes/admin/scim/index.js'
import adminConsole from '../routes/console/index.js'
import type { RenewalOptions } from '../routes/databrain/guest-token/index.js'
import { abuseGuards } from './abuse-guards.js'
import type { Config } from './config/index.js'
import { demoSession } from './start-page/session.js'
import type { DemoSession } from './start-page/session.js'
import { findDemoSource } from './demo-source.js'
import { describeRoutes, serveDocs } from './docs/index.js'
import drain from './drain.js'
import { claimsOfIdentified, embedUser } from './embed-user.js'
import type { IdentifiedUserOf } from './embed-user.js'
import { embedRoutes } from './embed-routes.js'
import health from './health.js'
import { checkHeaders, limitUnknownPaths } from './http-hygiene.js'
import type { IdentityMocks } from './identity-mocks.js'
import { identityProvider } from './identity-provider.js'
import { ingestionRoutes } from './ingestion-routes.js'
import type { Mail } from './mail/index.js'
import type { EventDurability } from './open-sink.js'
import { serveGuide } from './guide.js'
import { addPageHeaders } from './page-headers.js'
import { GUEST_TOKEN_PATH, RENEWAL_PATH } from './products.js'
import type { Products } from './products.js'
import type { Secrets } from './secrets.js'
import { addRequestIds } from './request-ids.js'
import { secondFactors } from './second-factors.js'
import { serverOptions } from './server-options.js'
import { staticPage } from './static-page.js'
import { singleSignOn } from './sso.js'
import { adminPages } from './sso-paths.js'
import { startPage } from './start-page/index.js'
import { recordVisits } from './start-page/visits.js'
import { traceRequests } from './tracing.js'
import { VERSION } from './version.js'

export interface AppParts {
  config: Config
  secrets: Secrets
  products: Products
  /** The app closes the store when it closes. */
  store: TokenStore
  sink: EventSink
  durability: EventDurability
  mail: Pick<Mail, 'sendMail'>
  /** The mock identity providers of administrators. Default: none. */
  identityMocks?: IdentityMocks | null
  /** The server's own origins. Messages show the first one. */
  origins: readonly [string, ...string[]]
  /** Whether the first start is complete; /readyz returns 503 until then. Default: complete. */
  started?: () => boolean
  /** The stream that receives the log. Default: stdout. */
  logStream?: { write(line: string): void }
}

const MINUTE = 60_000
const DAY = 86_400_000
const DEMO_USERS = ['viewer@example.com', 'ann@example.com', 'bob@example.com']

interface RenewalParts {
  identified: IdentifiedUserOf | null
  session: DemoSession | null
  /** The server's own URL, as DataBrain's servers reach it. */
  publicUrl: string
  /** Origins whose pages may call. */
  origins: readonly string[]
}

/** Issues the next `proxyAuthUrl` for the user of the identity token, or of the start page's session. */
function renewalOf ({ identified, session, publicUrl, origins }: RenewalParts): RenewalOptions | null {
  if (identified === null && session === null) return null
  return {
    url: publicUrl + GUEST_TOKEN_PATH,
    path: RENEWAL_PATH,
    ...identified === null ? {} : { cors: { origins } },
    async authorize (request) {
      const user = identified === null ? null : await identified(request)
      if (user !== null) {
        const { id, tenant = id, issuedAt = Date.now() } = user
        return { claims: claimsOfIdentified(user), tenant, issuedAt }
      }
      const demoSession = session?.of(request) ?? null
      return demoSession && { claims: { sub: demoSession.user }, issuedAt: demoSession.since, tenant: demoSession.user }
    }
  }
}

/** Builds the Fastify app with the whole suite. The products stay open when the app closes. */
export async function buildApp (parts: AppParts): Promise<FastifyInstance> {
  const { config, secrets, products, store, sink, durability, origins, logStream } = parts
  const { limits } = config
  const app = fastify(serverOptions({ config, ...(logStream === undefined ? {} : { logStream }) }))

  addRequestIds(app)
  await traceRequests(app, config.tracing)
  checkHeaders(app, limits.MAX_CONNECTIONS)
  addPageHeaders(app)
  await app.register(drain)
  if (config.docs) await describeRoutes(app, VERSION)
  // Before all other routes, so that their requests are counted. Monitoring calls without TLS.
  await app.register(metrics, {
    ...config.metricsToken === null ? {} : { token: config.metricsToken },
    guards: { https: false }
  })
  await limitUnknownPaths(app, limits.NOT_FOUND_RATE_MAX)
  await app.register(errorEnvelope)

  const countRetention = limits.COUNT_RETENTION_DAYS * DAY
  await app.register(tokenStore, {
    store,
    countRetention,
    auditRetention: limits.AUDIT_RETENTION_DAYS * DAY,
    refusedRetention: limits.REFUSED_RETENTION_DAYS * DAY
  })
  await app.register(eventSink, {
    sink,
    countRetention,
    retention: limits.EVENT_RETENTION_DAYS === 0 ? Infinity : limits.EVENT_RETENTION_DAYS * DAY
  })
  await app.register(auditLog)
  // In production there is no start page that could create a session.
  const session = config.production ? null : demoSession(secrets.USER_REFERENCE_KEY)
  // Before the guards and routes whose responses it records.
  if (session !== null) recordVisits(app, products.calls, session)
  await app.register(userReference, { keys: secrets.USER_REFERENCE_KEY })
  // Monitoring calls the health routes without TLS.
  await app.register(health, {
    durability,
    guards: { https: false },
    ...(parts.started === undefined ? {} : { started: parts.started })
  })

  // Browsers also send Origin with POST requests of the start page itself.
  const embedOrigins = session === null && config.embedOrigins !== null
    ? config.embedOrigins
    : [...new Set([...origins, ...config.embedOrigins ?? []])]
  const identified = config.identity === null ? null : await identityProvider(app, config.identity, embedOrigins)
  const embedGuards = await abuseGuards(app, {
    config,
    secret: secrets.USER_REFERENCE_KEY[0],
    origins: embedOrigins,
    sessionOf: (request) => session?.of(request)?.user ?? null
  })
  await embedRoutes(app, {
    products,
    proxyKeys: secrets.DATABRAIN_PROXY_KEY,
    origins: embedOrigins,
    perMinute: limits.EMBED_RATE_MAX,
    embedGuards,
    userOf: embedUser({ identified, session, fallback: config.embedUser }),
    renewal: renewalOf({ identified, session, publicUrl: config.publicUrl ?? origins[0], origins: embedOrigins })
  })
  await ingestionRoutes(app, limits, config.botExceptions)
  await app.register(adminAuth, {
    jwtSecrets: secrets.JWT_SECRET,
    sessionIdleMax: limits.ADMIN_SESSION_IDLE_MINUTES * MINUTE,
    // The tabs of a browser share the cookie, and may refresh at the same time.
    ...config.adminCookie === false
      ? {}
      : { cookie: config.adminCookie, reuseGrace: 10_000, secretsKeys: secrets.SECRETS_KEY },
    passwords: { breachCheck: config.breachCheck },
    loginRateLimit: { max: limits.LOGIN_RATE_MAX, timeWindow: 60_000 },
    userRateLimit: { max: limits.ADMIN_RATE_MAX, timeWindow: 60_000 }
  })
  await secondFactors(app, { config, secrets, origins })
  await app.register(adminApi, {
    jwtSecrets: secrets.JWT_SECRET,
    userRateLimit: { max: limits.ADMIN_RATE_MAX, timeWindow: 60_000 },
    allowWeakSecret: config.allowWeakSecret
  })
  await app.register(adminKeys, {
    jwtSecrets: secrets.JWT_SECRET,
    userRateLimit: { max: limits.ADMIN_RATE_MAX, timeWindow: 60_000 }
  })

  const publicUrl = config.publicUrl ?? origins[0]
  await app.register(adminUsers, {
    jwtSecrets: secrets.JWT_SECRET,
    linkUrl: publicUrl + adminPages(config).account,
    sendMail: parts.mail.sendMail,
    userRateLimit: { max: limits.ADMIN_RATE_MAX, timeWindow: 60_000 }
  })
  await app.register(scim, { jwtSecrets: secrets.JWT_SECRET })
  await staticPage(app, 'account')
  await singleSignOn(app, { config, secrets, publicUrl, mocks: parts.identityMocks ?? null })
  await staticPage(app, 'sign-in')
  if (config.console) await app.register(adminConsole, config.docs ? { guide: '/guide' } : {})

  if (config.docs) {
    const places = { start: session !== null, console: config.console }
    await serveDocs(app, places)
    await serveGuide(app, places)
  }
  if (session !== null) {
    await startPage(app, {
      store,
      attacks: config.mocksAlone,
      links: { console: config.console, docs: config.docs },
      userReferenceKey: secrets.USER_REFERENCE_KEY[0],
      products,
      session,
      user: config.embedUser,
      users: config.mocksAlone
        ? [...new Set([config.embedUser ?? '', ...DEMO_USERS])].filter((user) => user !== '')
        : [],
      origin: origins[0],
      proxyKey: secrets.DATABRAIN_PROXY_KEY[0],
      demoSource: () => findDemoSource(store),
      hosts: [config.host, ...config.allowedHosts, ...origins.map((serverOrigin) => new URL(serverOrigin).hostname)],
      captcha: config.captcha?.provider ?? null,
      csrf: config.csrf
    })
  }
  return app
}
