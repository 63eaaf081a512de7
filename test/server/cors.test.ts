import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import type { FastifyInstance, InjectOptions, LightMyRequestResponse, RouteOptions } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import { demoApp } from '../helpers/server-app.js'
import type { DemoApp } from '../helpers/server-app.js'

const EVIL = 'https://evil.test'
const PAGE = 'https://shop.example.com'
const UNLIMITED = {
  LOGIN_RATE_MAX: '1000000',
  ADMIN_RATE_MAX: '1000000',
  EMBED_RATE_MAX: '0',
  INGEST_IP_RATE_MAX: '0',
  INGEST_KEY_RATE_MAX: '0',
  NOT_FOUND_RATE_MAX: '0',
  EMBED_CONNECTIONS_MAX: '0',
  ADDRESS_SOCKETS_MAX: '0'
}

type Method = NonNullable<Exclude<InjectOptions['method'], undefined>>
interface Route {
  method: Method
  url: string
}

/** The built-in server and all its routes, also undocumented routes. */
async function server (t: Test, variables: Record<string, string> = {}): Promise<DemoApp & { routes: Route[] }> {
  const seen = new Map<FastifyInstance, RouteOptions[]>()
  const watch = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    const routes: RouteOptions[] = []
    seen.set(fastify, routes)
    fastify.addHook('onRoute', (route) => {
      routes.push(route)
    })
  }
  subscribe('fastify.initialization', watch)
  const demo = await demoApp(t, { LOG_LEVEL: 'silent', EMBED_ORIGINS: PAGE, ...UNLIMITED, ...variables })
  unsubscribe('fastify.initialization', watch)
  await demo.app.ready()
  const routes = (seen.get(demo.app) ?? []).flatMap(({ method, url }) =>
    [method].flat().map((one) => ({ method: one as Method, url: url.replace(/:\w+|\*/g, 'x') }))
  )
  return { ...demo, routes: routes.filter(({ url }) => url !== '/v1/admin/events/live') }
}

function granted ({ headers }: LightMyRequestResponse): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-'))
}

async function preflight (
  app: FastifyInstance,
  { method, url }: Route,
  origin: string
): Promise<LightMyRequestResponse> {
  return app.inject({
    method: 'OPTIONS',
    url,
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'content-type',
      'access-control-request-private-network': 'true'
    }
  })
}

t.test('no route allows a foreign origin, with any Referer, or access to a private network', async (t) => {
  const { app, routes, first } = await server(t)
  t.ok(routes.length > 60, `${routes.length} routes`)
  for (
    const path of ['/authorize', '/api/generate-token', '/api/databrain/guest-token', '/v1/t', '/v1/batch',
      '/v1/pixel/track', '/v1/admin/auth/login', '/docs/json', '/healthz', '/']
  ) {
    t.ok(routes.some(({ url }) => url === path), path)
  }
  for (const route of [...routes, { method: 'GET', url: '/nowhere' } as const]) {
    const what = `${route.method} ${route.url}`
    const credentials = { authorization: `Bearer ${String(first.pipelineKey)}`, cookie: 'sid=1' }
    for (const referer of [`${EVIL}/`, `${PAGE}/page`]) {
      const reply = await app.inject({ ...route, headers: { origin: EVIL, referer, ...credentials } })
      // The collector's script is for every page and contains no user data.
      const isScript = route.url === '/d.js' && ['GET', 'HEAD'].includes(route.method)
      t.equal(reply.headers['access-control-allow-origin'], isScript ? '*' : undefined, what)
      t.equal(reply.headers['access-control-allow-credentials'], undefined, what)
      t.ok(reply.statusCode < 500, `${what}: ${reply.statusCode}`)
    }
    for (const origin of [EVIL, 'null', `${PAGE}.evil.test`, `${PAGE}:8443`, 'http://shop.example.com']) {
      const reply = await preflight(app, route, origin)
      t.same(granted(reply), [], `preflight of ${what} for ${origin}`)
      t.not(reply.statusCode, 204, `preflight of ${what} for ${origin}`)
    }
    t.equal((await preflight(app, route, PAGE)).headers['access-control-allow-private-network'], undefined, what)
  }
})

t.test('an allowed Referer without an Origin sets no CORS header', async (t) => {
  const { app, routes } = await server(t)
  for (const route of routes) {
    const reply = await app.inject({ ...route, headers: { referer: `${PAGE}/page` } })
    t.same(granted(reply).filter((name) => reply.headers[name] !== '*'), [], `${route.method} ${route.url}`)
  }
})

t.test('every response of a route that a page can read has Vary: Origin, for any origin and any status', async (t) => {
  const { app, routes } = await server(t)
  const readable: Route[] = []
  for (const route of routes) {
    if ((await preflight(app, route, PAGE)).statusCode === 204 || route.url.startsWith('/v1/pixel')) {
      readable.push(route)
    }
  }
  t.ok(
    ['/authorize', '/api/generate-token'].every((path) => readable.some(({ url }) => url === path)),
    readable.map(({ url }) => url).join(' ')
  )
  for (const { method, url } of readable) {
    for (const origin of [undefined, PAGE, EVIL, 'null']) {
      for (const payload of method === 'POST' ? ['{}', '{', 'x'.repeat(6_000_000)] : [undefined]) {
        const headers = {
          ...origin === undefined ? {} : { origin },
          ...payload === undefined ? {} : { 'content-type': 'application/json' }
        }
        const reply = await app.inject({ method, url, headers, ...payload === undefined ? {} : { payload } })
        t.match(reply.headers.vary, /\borigin\b/i, `${method} ${url} for ${String(origin)}: ${reply.statusCode}`)
      }
    }
  }
})

t.test("401, 403, 413 and 429 of both embedding routes have Vary: Origin, and only the site's own page can " +
  'read them', async (t) => {
  const json = { 'content-type': 'application/json' }
  for (
    const request of [{ method: 'POST', url: '/authorize', payload: '{}', headers: json }, {
      method: 'GET',
      url: '/api/generate-token',
      headers: {}
    }] as const
  ) {
    const { app } = await server(t, { EMBED_RATE_MAX: '6' })
    const seen = new Map<number, LightMyRequestResponse[]>()
    const ask = async (headers: Record<string, string>, payload?: string) => {
      const reply = await app.inject({
        ...request,
        ...payload === undefined ? {} : { payload },
        headers: { ...request.headers, ...headers }
      })
      t.match(reply.headers.vary, /\bOrigin\b/, `${request.url} ${reply.statusCode}`)
      t.equal(
        reply.headers['access-control-allow-origin'],
        headers.origin === PAGE ? PAGE : undefined,
        `${request.url} ${reply.statusCode}`
      )
      seen.set(reply.statusCode, [...seen.get(reply.statusCode) ?? [], reply])
    }
    await ask({ origin: PAGE, 'x-user-reference': 'forged' })
    await ask({ 'x-user-reference': 'forged' })
    await ask({ origin: EVIL })
    if (request.method === 'POST') await ask({ origin: PAGE }, 'x'.repeat(2_000_000))
    for (let at = 0; at < 8; at++) await ask(at % 2 === 0 ? { origin: PAGE } : {})
    for (const status of request.method === 'POST' ? [401, 403, 413, 429] : [401, 403, 429]) {
      t.ok(seen.has(status), `${request.url}: ${status} among ${[...seen.keys()].join(' ')}`)
    }
  }
})

t.test('an invalid origin stops the start, and a source with an invalid origin is not saved', async (t) => {
  const bad = ['*', 'null', '/.*/', 'https://shop.example.com/', 'https://shop.example.com/x', 'javascript:alert(1)',
    'shop.example.com', 'https://*.example.com', 'ws://shop.example.com']
  for (const origin of bad) {
    await t.rejects(demoApp(t, { EMBED_ORIGINS: origin }), { message: /origins such as https:/ }, origin)
  }
  const { app, first: { email, generatedPassword: password } } = await server(t)
  const login = await app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload: { email, password } })
  const headers = { authorization: `Bearer ${String(login.json().access_token)}` }
  const before = (await app.inject({ url: '/v1/admin/sources', headers })).json().data as Array<{ id: string }>
  for (const domain of ['*', 'null', '/.*/', 'https://shop.example.com/x', 'javascript:alert(1)']) {
    const created = await app.inject({
      method: 'POST',
      url: '/v1/admin/sources',
      headers,
      payload: { name: 'Bad', domains: [domain] }
    })
    const changed = await app.inject({
      method: 'PATCH',
      url: `/v1/admin/sources/${String(before[0]?.id)}`,
      headers,
      payload: { domains: [domain] }
    })
    t.same([created.statusCode, changed.statusCode], [400, 400], domain)
  }
  t.same((await app.inject({ url: '/v1/admin/sources', headers })).json().data, before)
})
