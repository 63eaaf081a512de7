import Fastify from 'fastify'
import type { FastifyPluginAsync } from 'fastify'
import t from 'tap'

import * as suite from '../../index.js'

const KEY = 'eclGd3TWSYLMBHfcKoZEu74OSLseP7ydq8o9qKoSZCI'
const server = { apiUrl: 'https://bi.example.com/bi/api/site/site1', embedSecret: 's' }

/** Options with which each plugin starts. */
const WORKING: Record<string, object> = {
  adminApi: { jwtSecrets: [KEY] },
  adminAuth: { jwtSecrets: [KEY] },
  adminConsole: {},
  adminGuard: { jwtSecrets: [KEY] },
  adminKeys: { jwtSecrets: [KEY] },
  adminMfa: { jwtSecrets: [KEY] },
  adminOidc: { jwtSecrets: [KEY], publicUrl: 'https://gate.example.com', loginPage: '/login' },
  adminSaml: { jwtSecrets: [KEY], publicUrl: 'https://gate.example.com', loginPage: '/login' },
  adminUsers: { jwtSecrets: [KEY], linkUrl: 'https://app.example.com/account', sendMail: async () => {} },
  auditLog: {},
  captcha: { provider: 'altcha', hmacKey: KEY },
  connectionLimit: {},
  csrf: { key: KEY, sessionOf: () => null },
  databrainProxy: { proxyKeys: [KEY], apiKey: 'k', dataAppName: 'a', authorize: () => null },
  embedAuthorize: { servers: [server], authorize: () => null },
  errorEnvelope: {},
  eventFeed: {},
  eventSink: { sink: suite.memorySink() },
  guestToken: { proxyKeys: [KEY], apiKey: 'k', dataAppName: 'a', authorize: () => null },
  identityToken: { providers: [{ issuer: 'https://id.example.com', audience: 'app' }] },
  ingestion: {},
  metrics: {},
  pipelineKey: {},
  proxyKey: { keys: [KEY] },
  rateLimit: {},
  refusalLog: {},
  requireHttps: {},
  scim: { jwtSecrets: [KEY] },
  signature: { secrets: () => [] },
  tokenStore: { store: suite.memoryStore() },
  tracing: {},
  userReference: { keys: [KEY] },
  widgetToken: { secret: 's', issuer: 'a', session: 'b', authorize: () => 'u' }
}

/** A misspelt option of each plugin, its value, and the name that the error suggests. */
const MISSPELT: ReadonlyArray<[plugin: string, option: string, value: unknown, nearest: string]> = [
  ['adminApi', 'userRateLimits', false, 'userRateLimit'],
  ['adminAuth', 'reusegrace', 5, 'reuseGrace'],
  ['adminGuard', 'acessTtl', 60_000, 'accessTtl'],
  ['adminKeys', 'userRateLimits', false, 'userRateLimit'],
  ['adminMfa', 'userRateLimits', false, 'userRateLimit'],
  ['adminOidc', 'allowPrivateProvider', true, 'allowPrivateProviders'],
  ['adminSaml', 'loginPages', '/login', 'loginPage'],
  ['adminUsers', 'linkURL', 'https://app.example.com', 'linkUrl'],
  ['auditLog', 'orgid', 'x', 'orgId'],
  ['captcha', 'maxTrys', 5, 'maxTries'],
  ['connectionLimit', 'socket', 1, 'sockets'],
  ['csrf', 'origin', [], 'origins'],
  ['databrainProxy', 'proxyKey', [KEY], 'proxyKeys'],
  ['embedAuthorize', 'mode', ['view'], 'modes'],
  ['adminConsole', 'rateLimits', false, 'rateLimit'],
  ['eventSink', 'retension', 1, 'retention'],
  ['refusalLog', 'perMinutes', 5, 'perMinute'],
  ['guestToken', 'expirytime', 1, 'expiryTime'],
  ['identityToken', 'cookies', '__session', 'cookie'],
  ['ingestion', 'batchLimits', 1, 'batchLimit'],
  ['metrics', 'tokens', 'x', 'token'],
  ['tracing', 'log', true, 'logs'],
  ['pipelineKey', 'globl', true, 'global'],
  ['proxyKey', 'globl', true, 'global'],
  ['rateLimit', 'adress', { max: 1 }, 'address'],
  ['requireHttps', 'allowLoopBack', false, 'allowLoopback'],
  ['scim', 'adminprefix', '/v1', 'adminPrefix'],
  ['signature', 'tolerence', 1, 'tolerance'],
  ['tokenStore', 'sweepevery', 0, 'sweepEvery'],
  ['userReference', 'TTL', 5, 'ttl'],
  ['widgetToken', 'minute', 5, 'minutes']
]

/** A misspelt member of an object inside the options. */
const INSIDE: ReadonlyArray<[plugin: string, options: object, message: RegExp]> = [
  ['adminApi', { live: { maxViewer: 1 } },
    /^adminApi: unknown option "live\.maxViewer"; did you mean "live\.maxViewers"\?$/],
  ['adminAuth', { lockout: { hiden: true } },
    /^adminAuth: unknown option "lockout\.hiden"; did you mean "lockout\.hidden"\?$/],
  ['adminAuth', { passwords: { memorycost: 20_000 } },
    /^passwords: unknown option "memorycost"; did you mean "memoryCost"\?$/],
  ['csrf', { cookie: { sameSit: 'lax' } },
    /^csrf: unknown option "cookie\.sameSit"; did you mean "cookie\.sameSite"\?$/],
  ['embedAuthorize', { servers: [{ ...server, apiURL: '' }] },
    /^embedAuthorize: unknown option "servers\[0\]\.apiURL"; did you mean "servers\[0\]\.apiUrl"\?$/],
  ['guestToken', { rateLimit: { timewindow: 1 } },
    /^rateLimit: unknown option "timewindow"; did you mean "timeWindow"\?$/],
  ['guestToken', { rateLimit: { global: true } }, /^rateLimit: unknown option "global"; /],
  ['ingestion', { eventRate: { maxx: 1 } },
    /^ingestion: unknown option "eventRate\.maxx"; did you mean "eventRate\.max"\?$/],
  ['ingestion', { identityCookie: { domains: 'example.com' } },
    /^ingestion: unknown option "identityCookie\.domains"; did you mean "identityCookie\.domain"\?$/],
  ['ingestion', { guessLimit: { maximum: 1 } },
    /^pipelineKey: unknown option "guessLimit\.maximum"; the options are max, timeWindow$/],
  ['rateLimit', { user: { max: 5, timeWindows: 1 } },
    /^rateLimit: unknown option "user\.timeWindows"; did you mean "user\.timeWindow"\?$/],
  ['requireHttps', { hsts: { preLoad: true } },
    /^requireHttps: unknown option "hsts\.preLoad"; did you mean "hsts\.preload"\?$/],
  ['widgetToken', { cors: { origins: [], origin: 'https://a.example' } },
    /^cors: unknown option "origin"; did you mean "origins"\?$/]
]

/** A former name of an option, and the name that the error gives. */
const RENAMED: ReadonlyArray<[plugin: string, options: object, hint: string]> = [
  ['adminApi', { rateLimit: false }, 'adminApi: unknown option "rateLimit"; it is now "userRateLimit"'],
  ['adminAuth', { rateLimit: false }, 'adminAuth: unknown option "rateLimit"; it is now "userRateLimit"'],
  ['adminAuth', { lockout: { for: 900 } }, 'adminAuth: unknown option "lockout.for"; it is now "lockout.duration"'],
  ['adminAuth', { cors: { origins: [], maxAge: 5 } }, 'cors: unknown option "maxAge"; it is now "maxAgeSeconds"'],
  ['captcha', { expiresIn: 60_000 }, 'captcha (altcha): unknown option "expiresIn"; it is now "ttl"'],
  ['csrf', { maxAge: 60_000 }, 'csrf: unknown option "maxAge"; it is now "ttl"'],
  ['requireHttps', { hsts: { maxAge: 60 } },
    'requireHttps: unknown option "hsts.maxAge"; it is now "hsts.maxAgeSeconds"']
]

/** Plugins that need `adminAuth` before them. */
const AFTER_LOGIN = ['adminMfa', 'adminOidc', 'adminSaml', 'adminUsers']

const PLUGINS = suite as unknown as Record<string, FastifyPluginAsync<object> | undefined>

async function start (plugin: string, options: object): Promise<unknown> {
  const app = Fastify()
  try {
    if (plugin !== 'tokenStore') await app.register(suite.tokenStore, { store: suite.memoryStore() })
    if (AFTER_LOGIN.includes(plugin)) await app.register(suite.adminAuth, { jwtSecrets: [KEY] })
    await app.register(PLUGINS[plugin] as FastifyPluginAsync<object>, { ...WORKING[plugin], ...options })
    await app.ready()
    return null
  } catch (error) {
    return error
  } finally {
    await app.close()
  }
}

t.test('this file has options for every plugin of the suite', async (t) => {
  const plugins = Object.entries(suite).filter(([, value]) =>
    typeof value === 'function' && Symbol.for('plugin-meta') in value
  )
  t.same(plugins.map(([name]) => name).sort(), Object.keys(WORKING))
})

for (const [plugin, option, value, nearest] of MISSPELT) {
  t.test(`${plugin} refuses "${option}" at start and suggests "${nearest}"`, async (t) => {
    t.match(await start(plugin, { [option]: value }), {
      code: 'INVALID_OPTIONS',
      message: new RegExp(`^${plugin}( \\(altcha\\))?: unknown option "${option}"; did you mean "${nearest}"\\?$`)
    })
  })
}

for (const [plugin, options, message] of INSIDE) {
  t.test(`${plugin} refuses ${JSON.stringify(options)} at start`, async (t) => {
    t.match(await start(plugin, options), { code: 'INVALID_OPTIONS', message })
  })
}

for (const [plugin, options, message] of RENAMED) {
  t.test(`${plugin} refuses the former ${JSON.stringify(options)} and names the current option`, async (t) => {
    t.match(await start(plugin, options), { code: 'INVALID_OPTIONS', message })
  })
}

for (const plugin of ['errorEnvelope', 'eventFeed']) {
  t.test(`${plugin} has no options and refuses any option`, async (t) => {
    t.match(await start(plugin, { global: true }), {
      code: 'INVALID_OPTIONS',
      message: `${plugin}: unknown option "global"; there are no options here`
    })
  })
}

t.test('an option without a similar name is refused with the list of options', async (t) => {
  t.match(await start('proxyKey', { fallthrough: true }), {
    message: 'proxyKey: unknown option "fallthrough"; the options are keys, secretMaxAge, global'
  })
})

t.test('an option of another captcha provider is refused', async (t) => {
  t.match(await start('captcha', { minScore: 0.5 }), {
    code: 'INVALID_OPTIONS',
    message: /^captcha \(altcha\): unknown option "minScore"/
  })
})

t.test('every plugin starts with the options of Fastify\'s own "register"', async (t) => {
  for (const plugin of Object.keys(WORKING)) {
    t.equal(await start(plugin, { prefix: '/at', logLevel: 'error', logSerializers: {} }), null, plugin)
  }
})
