import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import proxyKey from '../../../plugins/proxy-key.js'
import type { ProxyKeyOptions } from '../../../plugins/proxy-key.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { rawRequest } from '../../helpers/raw-socket.js'

const KEY = 'k3y-0123456789-abcdefghijklmnopqrstuv'
const OTHER = generateSecret()

async function guarded (t: Test, options: Partial<ProxyKeyOptions> = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(proxyKey, { keys: [KEY], ...options })
  app.get('/x', { config: { gatehouse: { proxyKey: true } } }, async ({ proxyKey }) => ({ id: proxyKey?.id ?? null }))
  app.get(
    '/open',
    { config: { gatehouse: { proxyKey: false } } },
    async ({ proxyKey }) => ({ id: proxyKey?.id ?? null })
  )
  app.get('/silent', async () => ({}))
  return app
}

const bearer = (key: string): { authorization: string } => ({ authorization: `Bearer ${key}` })

t.test('a valid key passes, and its id is a digest and not the key', async (t) => {
  const app = await guarded(t)
  const { statusCode, body } = await app.inject({ url: '/x', headers: bearer(KEY) })
  t.equal(statusCode, 200)
  t.match(JSON.parse(body), { id: /^[0-9a-f]{8}$/ })
})

t.test('a request without credentials is 401 in the envelope', async (t) => {
  const app = await guarded(t)
  const response = await app.inject('/x')
  t.equal(response.statusCode, 401)
  t.same(Object.keys(response.json()), ['error'])
  t.match(response.json(), { error: { code: 'UNAUTHORIZED', message: String } })
  t.equal(response.headers['www-authenticate'], 'Bearer')
  t.equal(response.headers['cache-control'], 'no-store')
})

t.test('a wrong key of any length is 401', async (t) => {
  const app = await guarded(t)
  const wrong = [
    'x'.repeat(KEY.length),
    'x',
    '',
    `${KEY}x`,
    KEY.slice(0, -1),
    KEY.slice(1),
    KEY.toUpperCase(),
    'x'.repeat(15_000),
    'é'.repeat(KEY.length),
    `${KEY}\t`
  ]
  for (const key of wrong) {
    const response = await app.inject({ url: '/x', headers: bearer(key) })
    t.equal(response.statusCode, 401, key.slice(0, 50))
    t.equal(response.json().error.code, 'UNAUTHORIZED')
  }
})

t.test('the key is accepted only in one exact Bearer header', async (t) => {
  const app = await guarded(t)
  const basic = Buffer.from(`${KEY}:`).toString('base64')
  const requests: Array<{ url?: string, headers?: Record<string, string> }> = [
    { url: `/x?key=${KEY}` },
    { url: `/x?authorization=Bearer%20${KEY}` },
    { headers: { cookie: `key=${KEY}; authorization=Bearer ${KEY}` } },
    { headers: { 'x-api-key': KEY } },
    { headers: { 'x-proxy-auth-key': KEY } },
    { headers: { 'proxy-authorization': `Bearer ${KEY}` } },
    ...[`Basic ${basic}`, KEY, `Bearer  ${KEY}`, `bearer ${KEY}`, `Bearer ${KEY}, Bearer ${KEY}`,
      `Bearer ${KEY} ${KEY}`, `Bearer "${KEY}"`, `Bearer${KEY}`, 'Bearer']
      .map((authorization) => ({ headers: { authorization } }))
  ]
  for (const request of requests) {
    const response = await app.inject({ url: '/x', ...request })
    t.equal(response.statusCode, 401, JSON.stringify(request))
    t.equal(response.json().error.code, 'UNAUTHORIZED')
  }
})

t.test('two Authorization headers are refused in either order', async (t) => {
  const app = await guarded(t)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const good = `Authorization: Bearer ${KEY}`
  const bad = 'authorization: Bearer nonsense'
  for (const pair of [[good, bad], [bad, good], [good, good]]) {
    const { statusCode, text } = await rawRequest(origin, ['GET /x HTTP/1.1', 'Host: a', 'Connection: close', ...pair])
    t.equal(statusCode, 401, pair.join(' + '))
    t.match(text, /"code":"UNAUTHORIZED"/)
  }
  t.equal((await rawRequest(origin, ['GET /x HTTP/1.1', 'Host: a', 'Connection: close', good])).statusCode, 200)
})

t.test('several keys are valid at once, each with its own id', async (t) => {
  const app = await guarded(t, { keys: [KEY, OTHER] })
  const ids = await Promise.all(
    [KEY, OTHER].map(async (key) => (await app.inject({ url: '/x', headers: bearer(key) })).json().id)
  )
  t.equal(new Set(ids).size, 2)
})

t.test('a route is guarded if it opts in, or by default with global', async (t) => {
  const app = await guarded(t)
  t.equal((await app.inject('/silent')).statusCode, 200)
  t.same((await app.inject({ url: '/open', headers: bearer(KEY) })).json(), { id: null })
  const closed = await guarded(t, { global: true })
  t.equal((await closed.inject('/silent')).statusCode, 401)
  t.equal((await closed.inject('/nowhere')).statusCode, 401, 'the 404 handler too')
  t.equal((await closed.inject('/open')).statusCode, 200)
})

t.test("two scopes with different keys refuse each other's keys", async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  for (const [prefix, key] of [['/a', KEY], ['/b', OTHER]] as const) {
    await app.register(async (scope) => {
      await scope.register(proxyKey, { keys: [key], global: true })
      scope.get('/x', async () => ({}))
    }, { prefix })
  }
  for (
    const [url, key, status] of [['/a/x', KEY, 200], ['/a/x', OTHER, 401], ['/b/x', KEY, 401], ['/b/x', OTHER,
      200]] as const
  ) {
    t.equal((await app.inject({ url, headers: bearer(key) })).statusCode, status, url)
  }
})

t.test('a missing key, a weak key or a key that no header can contain stops the start without ' +
  'being shown', async (t) => {
  for (
    const keys of [[], undefined, 'abc', ['short'], ['a'.repeat(40)], [KEY, ''], [`${KEY} with spaces`], [`${KEY}é`], [
      1
    ], () => [], () => 'abc', async () => [], async () => ['short'], async () => {
      throw new Error(KEY)
    }]
  ) {
    const app = Fastify()
    const error = await app.register(proxyKey, { keys: keys as string[] }).ready().then(
      () => null,
      (error: Error & { code: string }) => error
    )
    t.equal(error?.code, 'INVALID_OPTIONS', String(keys))
    t.match(error?.message, /^proxy-key: .*keys/)
    t.notMatch(error?.message, KEY)
    await app.close()
  }
})

t.test('an invalid secretMaxAge stops the start', async (t) => {
  for (const secretMaxAge of [-1, 0.5, NaN, '2000']) {
    const app = Fastify()
    await t.rejects(async () => {
      await app.register(proxyKey, { keys: [KEY], secretMaxAge } as ProxyKeyOptions).ready()
    }, {
      code: 'INVALID_OPTIONS',
      message: /^proxy-key: .*secretMaxAge/
    })
    await app.close()
  }
})
