import type { FastifyInstance, InjectOptions } from 'fastify'
import fc from 'fast-check'
import t from 'tap'

import { demoApp } from '../helpers/server-app.js'
import type { DemoApp } from '../helpers/server-app.js'

interface Operation {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  url: string
  hasBody: boolean
}

/** Disables the limits, because all requests come from one address. */
const UNLIMITED = {
  LOGIN_RATE_MAX: '1000000',
  ADMIN_RATE_MAX: '1000000',
  EMBED_RATE_MAX: '0',
  INGEST_IP_RATE_MAX: '0',
  INGEST_KEY_RATE_MAX: '0',
  NOT_FOUND_RATE_MAX: '0',
  LOG_LEVEL: 'silent'
}

async function server (t: Parameters<typeof demoApp>[0]) {
  const demo = await demoApp(t, UNLIMITED)
  const { email, generatedPassword: password } = demo.first
  const login = await demo.app.inject({ method: 'POST', url: '/v1/admin/auth/login', payload: { email, password } })
  return { ...demo, operations: operationsOf(demo.app), authorization: `Bearer ${String(login.json().access_token)}` }
}

/** Every operation of the OpenAPI document, so that a new route is included automatically. */
function operationsOf (app: FastifyInstance): Operation[] {
  const { paths } =
    (app as unknown as { swagger: () => { paths: Record<string, Record<string, { requestBody?: unknown }>> } })
      .swagger()
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => ({
      method: method.toUpperCase() as Operation['method'],
      url: path.replace(/\{\w+\}/g, 'b2f3b3a0-3c60-4d55-9a55-6f1b4f3f1f11'),
      hasBody: requestBody !== undefined || ['post', 'patch'].includes(method)
    }))
  )
}

function credentials ({ url }: Operation, { first, secrets }: DemoApp, authorization: string): Record<string, string> {
  if (url.startsWith('/v1/admin')) return { authorization }
  if (url.startsWith('/v1/')) return { authorization: `Bearer ${String(first.pipelineKey)}` }
  if (url.includes('databrain')) return { authorization: `Bearer ${secrets.DATABRAIN_PROXY_KEY[0]}` }
  return {}
}

/** The form of errors: of RFC 7644 for SCIM, of OpenID Connect for its back-channel logout, else the envelope. */
function errorOf (url: string, status: number): object {
  if (url.startsWith('/scim/')) {
    return { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: /^4\d\d$/, detail: /./ }
  }
  if (url.endsWith('/backchannel-logout') && status === 400) return { error: 'invalid_request' }
  return { error: { code: /^[A-Z_]+$/, message: /./ } }
}

async function storedEvents ({ app }: DemoApp, authorization: string): Promise<number> {
  return (await app.inject({ url: '/v1/admin/events?limit=100', headers: { authorization } })).json().data
    .length as number
}

const json = { 'content-type': 'application/json' }
const BODIES: Record<string, InjectOptions> = {
  'no body': {},
  'an empty body': { payload: '', headers: json },
  'broken JSON': { payload: '{"a":', headers: json },
  'a string that is no JSON': { payload: 'hello', headers: json },
  null: { payload: 'null', headers: json },
  'a number': { payload: '12', headers: json },
  'a string': { payload: '"text"', headers: json },
  'an array': { payload: '[]', headers: json },
  'only an unknown type': { payload: '{"type":"nonsense"}', headers: json },
  'numbers for strings': {
    payload:
      '{"email":1,"password":2,"refresh_token":3,"event":4,"name":5,"batch":6,"embedQuerString":7,"dashboardServerApiUrl":8}',
    headers: json
  },
  'lists for strings': {
    payload: '{"email":[],"password":[],"refresh_token":[],"event":[],"name":[],"batch":{},"embedQuerString":[]}',
    headers: json
  },
  'nulls for strings': {
    payload:
      '{"type":0,"email":null,"password":null,"refresh_token":null,"event":null,"name":null,"batch":null,"embedQuerString":null}',
    headers: json
  },
  'a poisoned prototype': {
    payload: '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    headers: json
  },
  'invalid UTF-8': { payload: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), headers: json },
  'two byte order marks': { payload: '\ufeff\ufeff{"event":"x"}', headers: json },
  'a deep body': { payload: '['.repeat(100_000), headers: json },
  'a large body': { payload: `{"event":"${'x'.repeat(6_000_000)}"}`, headers: json },
  'a form': { payload: 'event=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
  'a multipart form': { payload: '--x\r\n\r\n--x--', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
  XML: { payload: '<event/>', headers: { 'content-type': 'application/xml' } },
  'UTF-16': {
    payload: Buffer.from('{"event":"x"}', 'utf16le'),
    headers: { 'content-type': 'application/json; charset=utf-16' }
  },
  'a nonsense media type': { payload: '{"event":"x"}', headers: { 'content-type': 'application/json,text/plain' } },
  'invalid gzip': { payload: '{"event":"x"}', headers: { ...json, 'content-encoding': 'gzip' } }
}

t.test('invalid bodies on every route are 4xx with the envelope, and no data is stored', async (t) => {
  const demo = await server(t)
  const { app, authorization } = demo
  const withBody = demo.operations.filter(({ hasBody }) => hasBody)
  t.ok(withBody.length >= 15, `${withBody.length} routes`)
  for (const operation of withBody) {
    for (const [what, body] of Object.entries(BODIES)) {
      // These routes need no body.
      if (/\/(?:logout-all|logout-others|rotate-\w+|refused-events\/replay|auth\/logout|sso\/logout|auth\/passkey\/options)$/.test(operation.url)) continue
      const { method, url } = operation
      const reply = await app.inject({
        method,
        url,
        ...body,
        headers: { ...credentials(operation, demo, authorization), ...body.headers }
      })
      t.ok(reply.statusCode >= 400 && reply.statusCode < 500, `${method} ${url}: ${what} is ${reply.statusCode}`)
      t.match(reply.json(), errorOf(url, reply.statusCode), `${method} ${url}: ${what}`)
      t.notMatch(reply.body, /node_modules|\.ts:|at .*\(|select |insert /i)
    }
  }
  t.equal(await storedEvents(demo, authorization), 0)
  t.equal(({} as { polluted?: unknown }).polluted, undefined)
})

t.test('no route reflects a foreign origin, with or without credentials, and no route allows ' +
  '* with credentials', async (t) => {
  const demo = await server(t)
  for (const operation of demo.operations) {
    for (const method of [operation.method, 'OPTIONS'] as const) {
      const headers = {
        origin: 'https://evil.test',
        referer: 'https://evil.test/',
        'access-control-request-method': operation.method
      }
      const reply = await demo.app.inject({
        method,
        url: operation.url,
        headers: { ...credentials(operation, demo, demo.authorization), ...headers }
      })
      // Only the script is for every page.
      const granted = operation.url === '/d.js' && method === 'GET' ? '*' : undefined
      t.equal(reply.headers['access-control-allow-origin'], granted, `${method} ${operation.url}`)
      t.equal(reply.headers['access-control-allow-credentials'], undefined, `${method} ${operation.url}`)
      t.equal(reply.headers['access-control-allow-private-network'], undefined)
    }
  }
})

t.test('generated requests on every route never cause a 5xx', async (t) => {
  const demo = await server(t)
  const names = ['type', 'event', 'userId', 'messageId', 'timestamp', 'context', 'batch', 'writeKey', 'name', 'domains',
    'email', 'password', 'refresh_token', 'overlap_seconds', 'embedQuerString', 'embedQueryString',
    'dashboardServerApiUrl', 'limit', 'cursor', 'ref', 'wk', 'source_id', 'from', '__proto__', 'constructor']
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.jsonValue(),
    fc.constantFrom('track', '1e400', '2026-01-01T00:00:00Z', 'dk_live_x', -1, 1e21)
  )
  const body = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), value, { maxKeys: 8 })
  const query = fc.dictionary(fc.constantFrom(...names), fc.string({ unit: 'binary' }), { maxKeys: 3 })
  const text = fc.oneof(body.map((object) => JSON.stringify(object)), fc.string({ unit: 'binary' }))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...demo.operations),
      text,
      query,
      fc.boolean(),
      async (operation, payload, search, authorized) => {
        // These routes end the session of the administrator.
        if (/logout-all|sso\/logout|password/.test(operation.url)) return
        // The live view responds until the client disconnects.
        if (authorized && operation.url === '/v1/admin/events/live') return
        const parameters = new URLSearchParams(search).toString()
        const reply = await demo.app.inject({
          method: operation.method,
          url: `${operation.url}?${parameters}`,
          headers: {
            ...(authorized ? credentials(operation, demo, demo.authorization) : {}),
            ...(operation.hasBody ? json : {})
          },
          ...(operation.hasBody ? { payload } : {})
        })
        if (reply.statusCode >= 500) {
          throw new Error(
            `${operation.method} ${operation.url}: ${reply.statusCode} ${reply.body}`
          )
        }
      }
    ),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 3_000) }
  )
  t.pass('no 5xx')
})
