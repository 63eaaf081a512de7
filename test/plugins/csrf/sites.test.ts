import fastifyCookie from '@fastify/cookie'
import fastifyCsrf from '@fastify/csrf-protection'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import csrf from '../../../plugins/csrf/index.js'
import type { CsrfOptions } from '../../../plugins/csrf/index.js'
import tokenStore from '../../../plugins/token-store/index.js'
import widgetToken from '../../../routes/widget-token/index.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'

const KEY = 'csrf-k3y-0123456789-abcdefghijklmnopqrst'
const SITE = 'https://app.example.com'
const OWN = { 'sec-fetch-site': 'same-origin' }

type Headers = Record<string, string>

async function guarded (t: Test, options: Partial<CsrfOptions> = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(csrf, { key: KEY, sessionOf: () => 'ann', tokenPath: '/token', global: true, ...options })
  app.route({ method: ['GET', 'POST'], url: '/x', handler: async () => ({ ok: true }) })
  return app
}

async function tokenOf (app: FastifyInstance, prefix = ''): Promise<Headers> {
  const { cookies: [cookie], body } = await app.inject({ url: `${prefix}/token`, headers: OWN })
  return { 'x-csrf-token': JSON.parse(body).token, cookie: `${cookie?.name}=${cookie?.value}` }
}

async function outcome (
  app: FastifyInstance,
  headers: Headers,
  { url = '/x', method = 'POST' }: { url?: string, method?: 'GET' | 'POST' | 'OPTIONS' } = {}
): Promise<string> {
  const response = await app.inject({ method, url, headers: { host: 'api.example.com', ...headers } })
  return response.statusCode < 400 ? 'passes' : `${response.statusCode} ${response.json().error.code}`
}

t.test('a page of another site or origin is refused by Sec-Fetch-Site, even with a valid token', async (t) => {
  const app = await guarded(t)
  const good = await tokenOf(app)
  for (const method of ['GET', 'POST'] as const) {
    for (const site of ['cross-site', 'same-site', '', 'SAME-ORIGIN', 'same-origin, same-origin', 'x']) {
      t.equal(
        await outcome(app, { ...good, 'sec-fetch-site': site }, { method }),
        '403 CSRF_FAILED',
        `${method} ${site}`
      )
      t.equal(
        await outcome(app, { ...good, 'sec-fetch-site': site, origin: 'https://evil.example.com' }, { method }),
        '403 CSRF_FAILED',
        `${method} ${site}, with an origin`
      )
    }
    for (const site of ['same-origin', 'none']) {
      t.equal(await outcome(app, { ...good, 'sec-fetch-site': site }, { method }), 'passes', `${method} ${site}`)
    }
  }
})

t.test('without Sec-Fetch-Site the Origin is checked, and the Referer is not', async (t) => {
  const app = await guarded(t)
  const good = await tokenOf(app)
  const foreign = ['https://evil.example.com', 'null', '', 'https://api.example.com.evil.com',
    'https://api.example.com:8443', 'https://api.example.com/', 'http://api.example.co', 'api.example.com',
    'ftp://api.example.com', 'https://a@api.example.com']
  for (const origin of foreign) t.equal(await outcome(app, { ...good, origin }), '403 CSRF_FAILED', origin)
  for (const origin of ['http://api.example.com', 'https://api.example.com']) {
    t.equal(await outcome(app, { ...good, origin }), 'passes', origin)
  }
  t.equal(await outcome(app, { ...good, referer: 'https://evil.example.com/' }), 'passes', 'only the token counts')
  t.equal(await outcome(app, { referer: 'https://api.example.com/' }), '403 CSRF_FAILED', 'the Referer is not enough')
  t.equal(
    await outcome(app, { ...good, origin: 'http://evil.example.com', referer: 'http://api.example.com/' }),
    '403 CSRF_FAILED'
  )
})

t.test("the app's own origin is recognised in every spelling of the Host header", async (t) => {
  const app = await guarded(t)
  const good = await tokenOf(app)
  for (
    const [host, origin] of [
      ['LOCALHOST', 'http://localhost'],
      ['LocalHost:3000', 'http://localhost:3000'],
      ['localhost:80', 'http://localhost'],
      ['API.example.com:443', 'https://api.example.com'],
      ['[::1]:80', 'http://[::1]']
    ] as const
  ) {
    t.equal(await outcome(app, { ...good, host, origin }), 'passes', `${host} ${origin}`)
    t.equal(await outcome(app, { ...good, host, origin: `${origin}1` }), '403 CSRF_FAILED', host)
  }
  t.equal(await outcome(app, { ...good, host: 'localhost:8080', origin: 'http://localhost' }), '403 CSRF_FAILED')
})

t.test('a page of a hybrid app or an extension can send requests if its origin is configured', async (t) => {
  const origins = ['capacitor://localhost', 'ionic://localhost', 'tauri://localhost',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop']
  const app = await guarded(t, { origins })
  const good = await tokenOf(app)
  for (const origin of origins) {
    t.equal(await outcome(app, { ...good, origin, 'sec-fetch-site': 'cross-site' }), 'passes', origin)
  }
  t.equal(
    await outcome(app, { ...good, origin: 'capacitor://evil', 'sec-fetch-site': 'cross-site' }),
    '403 CSRF_FAILED'
  )
})

t.test('an http page of the same host is another origin if the request came over TLS', async (t) => {
  const app = Fastify({ trustProxy: true })
  t.teardown(() => app.close())
  await app.register(csrf, { key: KEY, sessionOf: () => 'ann', tokenPath: '/token', global: true })
  app.post('/x', async () => ({}))
  const proxied = { ...await tokenOf(app), 'x-forwarded-proto': 'https', 'x-forwarded-host': 'www.example.com' }
  t.equal(await outcome(app, { ...proxied, origin: 'https://www.example.com' }), 'passes')
  t.equal(await outcome(app, { ...proxied, origin: 'http://www.example.com' }), '403 CSRF_FAILED')
  t.equal(
    await outcome(app, { ...proxied, origin: 'https://api.example.com' }),
    '403 CSRF_FAILED',
    'the name of the server behind the proxy'
  )
})

t.test('allowSameSite allows other origins of the same site, and origins allows the listed origins ' +
  'of any site', async (t) => {
  const sameSite = await guarded(t, { allowSameSite: true })
  const good = await tokenOf(sameSite)
  t.equal(await outcome(sameSite, { ...good, 'sec-fetch-site': 'same-site' }), 'passes')
  t.equal(await outcome(sameSite, { ...good, 'sec-fetch-site': 'cross-site' }), '403 CSRF_FAILED')
  t.equal(await outcome(sameSite, { 'sec-fetch-site': 'same-site' }), '403 CSRF_FAILED', 'a token is still required')

  const app = await guarded(t, { origins: [SITE] })
  const own = await tokenOf(app)
  for (const site of ['cross-site', 'same-site']) {
    t.equal(await outcome(app, { ...own, 'sec-fetch-site': site, origin: SITE }), 'passes', site)
    t.equal(
      await outcome(app, { ...own, 'sec-fetch-site': site, origin: 'https://evil.example.com' }),
      '403 CSRF_FAILED',
      site
    )
    t.equal(await outcome(app, { ...own, 'sec-fetch-site': site }), '403 CSRF_FAILED', `${site}, no origin`)
  }
  t.equal(await outcome(app, { ...own, origin: SITE }), 'passes')
  t.equal(await outcome(app, { origin: SITE }), '403 CSRF_FAILED', 'a token is still required')
})

t.test('the token route allows pages of its own origin and, by CORS, of the configured origins', async (t) => {
  const plain = await guarded(t)
  for (
    const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, {
      origin: 'https://evil.example.com'
    }, { origin: 'null' }]
  ) {
    const response = await plain.inject({ url: '/token', headers: { host: 'api.example.com', ...headers } })
    t.equal(response.statusCode, 403, JSON.stringify(headers))
    t.equal(response.headers['set-cookie'], undefined)
    t.equal(response.headers['access-control-allow-origin'], undefined)
  }
  const app = await guarded(t, { origins: [SITE], rateLimit: { max: 2, timeWindow: 60_000 } })
  const granted = await app.inject({ url: '/token', headers: { origin: SITE, 'sec-fetch-site': 'same-site' } })
  t.equal(granted.statusCode, 200)
  t.match(granted.headers, { 'access-control-allow-origin': SITE, 'access-control-allow-credentials': 'true' })
  t.equal((await app.inject({ url: '/token', headers: { origin: 'https://evil.example.com' } })).statusCode, 403)
  t.equal((await app.inject({ url: '/token', headers: OWN })).statusCode, 200)
  t.equal((await app.inject({ url: '/token', headers: OWN })).json().error.code, 'RATE_LIMITED')
})

t.test('a CORS preflight passes, and any other OPTIONS request is refused', async (t) => {
  const app = await guarded(t)
  app.options('/x', async () => ({}))
  t.equal(
    await outcome(app, { origin: 'https://evil.example.com', 'access-control-request-method': 'POST' }, {
      method: 'OPTIONS'
    }),
    'passes'
  )
  t.equal(await outcome(app, { origin: 'https://evil.example.com' }, { method: 'OPTIONS' }), '403 CSRF_FAILED')
})

t.test("with global: 'writes' reads pass, and writes are guarded, also by the 404 handler", async (t) => {
  const app = await guarded(t, { global: 'writes' })
  app.get('/guarded', { config: { gatehouse: { csrf: true } } }, async () => ({}))
  app.post('/hook', { config: { gatehouse: { csrf: false } } }, async () => ({}))
  t.same(
    await Promise.all([
      outcome(app, {}, { method: 'GET' }),
      outcome(app, {}),
      outcome(app, {}, { url: '/nowhere' }),
      outcome(app, {}, { url: '/guarded', method: 'GET' }),
      outcome(app, {}, { url: '/hook' })
    ]),
    ['passes', '403 CSRF_FAILED', '403 CSRF_FAILED', '403 CSRF_FAILED', 'passes']
  )
  t.equal((await app.inject('/nowhere')).statusCode, 404)
})

t.test("registrations in separate and in nested scopes refuse each other's tokens", async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const register = (scope: FastifyInstance, key = generateSecret()) =>
    scope.register(csrf, { key, sessionOf: () => 'ann', tokenPath: '/token', global: true })
  const prefixes = ['/a', '/b', '/b/inner']
  await app.register(async (scope) => {
    await register(scope)
    scope.post('/x', async () => ({}))
  }, { prefix: '/a' })
  await app.register(async (scope) => {
    await register(scope)
    scope.post('/x', async () => ({}))
    await scope.register(async (inner) => {
      await register(inner)
      inner.post('/x', async () => ({}))
    }, { prefix: '/inner' })
  }, { prefix: '/b' })
  for (const from of prefixes) {
    const page = { ...await tokenOf(app, from), ...OWN }
    for (const to of prefixes) {
      t.equal(
        await outcome(app, page, { url: `${to}/x` }),
        from === to ? 'passes' : '403 CSRF_FAILED',
        `${from} to ${to}`
      )
    }
  }
})

t.test('the guard works beside @fastify/csrf-protection and @fastify/cookie of the host, in ' +
  'either order', async (t) => {
  for (const order of ['before', 'after']) {
    const app = Fastify()
    t.teardown(() => app.close())
    const host = async () => {
      await app.register(fastifyCookie)
      await app.register(fastifyCsrf)
    }
    if (order === 'before') await host()
    await app.register(csrf, { key: KEY, sessionOf: () => 'ann', tokenPath: '/token' })
    if (order === 'after') await host()
    app.get(
      '/both',
      async (request, reply) => ({
        theirs: reply.setCookie('more', '1').generateCsrf(),
        ours: await app.csrf.token(request, reply)
      })
    )
    app.post('/theirs', { onRequest: app.csrfProtection }, async () => ({ ok: true }))
    app.post('/x', { config: { gatehouse: { csrf: true } } }, async () => ({ ok: true }))
    const { cookies, body } = await app.inject('/both')
    t.same(cookies.map(({ name }) => name).sort(), ['_csrf', 'gatehouse_csrf', 'more'], order)
    const { theirs, ours } = JSON.parse(body)
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
    const post = async (url: string, token: string) =>
      (await app.inject({ method: 'POST', url, headers: { cookie, 'x-csrf-token': token } })).statusCode
    t.same(
      [await post('/theirs', theirs), await post('/theirs', ours), await post('/x', ours), await post('/x', theirs)],
      [200, 403, 200, 403],
      order
    )
  }
})

t.test('the widget token route issues a token only with the CSRF token of the session', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(tokenStore)
  const userOf = (cookie: string | undefined) => /user=(\w+)/.exec(cookie ?? '')?.[1] ?? null
  await app.register(csrf, {
    key: KEY,
    sessionOf: ({ headers }) => userOf(headers.cookie),
    origins: [SITE],
    tokenPath: '/token'
  })
  await app.register(widgetToken, {
    secret: 'dx',
    issuer: 'acme',
    session: 'web',
    authorize: ({ headers }) => userOf(headers.cookie),
    cors: { origins: [SITE] },
    guards: { csrf: true }
  })
  const page = { origin: SITE, 'sec-fetch-site': 'same-site' }
  const first = await app.inject({ url: '/token', headers: { ...page, cookie: 'user=ann' } })
  const [kept, token] = [`gatehouse_csrf=${first.cookies[0]?.value}`, first.json().token as string]
  const ask = (headers: Headers) => app.inject({ url: '/api/generate-token', headers: { ...page, ...headers } })
  t.equal((await ask({ cookie: `user=ann; ${kept}`, 'x-csrf-token': token })).statusCode, 200)
  for (
    const headers of [{ cookie: `user=ann; ${kept}` }, { cookie: `user=bob; ${kept}`, 'x-csrf-token': token }, {
      cookie: 'user=ann',
      'x-csrf-token': token
    }] as Headers[]
  ) {
    const refused = await ask(headers)
    t.equal(`${refused.statusCode} ${refused.json().error.code}`, '403 CSRF_FAILED')
    t.equal(refused.headers['access-control-allow-origin'], SITE, 'the page can read the refusal')
  }
})
