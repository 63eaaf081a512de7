import cors from '@fastify/cors'
import rateLimit from '@fastify/rate-limit'
import Fastify from 'fastify'
import t from 'tap'

import tokenStore from '../../../plugins/token-store/index.js'
import ingestion from '../../../routes/ingestion/index.js'
import { backend } from '../../helpers/backend.js'
import { codeOf, gateway } from '../../helpers/gateway.js'
import { LOOK_ALIKES } from '../../helpers/look-alike-origins.js'
import { makeSource, SHOP } from '../../helpers/source.js'

const PATHS = ['/v1/t', '/v1/p', '/v1/i', '/v1/g', '/v1/track', '/v1/page', '/v1/identify', '/v1/group', '/v1/screen',
  '/v1/alias', '/v1/s', '/v1/a', '/v1/events', '/v1/batch', '/v1/b']

t.test('an event from any of 40 look-alike origins is 403 and is not stored', async (t) => {
  const { post, stored } = await gateway(t)
  for (const origin of LOOK_ALIKES) {
    const response = await post('/v1/t', { event: 'e' }, { origin })
    t.equal(response.statusCode, 403, origin)
    t.equal(codeOf(response), 'ORIGIN_NOT_ALLOWED')
    t.equal(response.headers['access-control-allow-origin'], undefined)
  }
  t.equal((await stored()).length, 0)
})

t.test('every path allows a preflight of an allowed origin and refuses a preflight of another origin', async (t) => {
  const { app } = await gateway(t)
  for (const url of PATHS) {
    const preflight = async (origin: string) =>
      app.inject({ method: 'OPTIONS', url, headers: { origin, 'access-control-request-method': 'POST' } })
    const good = await preflight(SHOP)
    t.equal(good.statusCode, 204, url)
    t.equal(good.headers['access-control-allow-origin'], SHOP)
    const evil = await preflight('https://evil.test')
    t.equal(evil.statusCode, 403, url)
    t.equal(evil.headers['access-control-allow-origin'], undefined)
    t.equal((await app.inject({ method: 'OPTIONS', url })).statusCode, 400, url)
  }
})

t.test('errors are readable only by an allowed origin, and vary by origin', async (t) => {
  const { app, post, key } = await gateway(t, { ingestion: { rateLimit: { max: 30, timeWindow: 60_000 } } })
  const cases: Array<[number, () => (origin: string) => ReturnType<typeof post>]> = [
    [400, () => (origin) => post('/v1/t', '{', { origin })],
    [400, () => (origin) => post('/v1/t', {}, { origin })],
    [401, () => (origin) => post('/v1/t', { event: 'e' }, { origin, authorization: 'Bearer x' })],
    [400, () => (origin) => post('/v1/t', '{"broken', { origin, authorization: [] })],
    [401, () => (origin) => post('/v1/events', { event: 'e' }, { origin })],
    [413, () => (origin) => post('/v1/t', 'x'.repeat(600_000), { origin })],
    [415, () => (origin) => post('/v1/t', 'x', { origin, 'content-type': 'text/html' })]
  ]
  for (const [status, send] of cases) {
    const own = await send()(SHOP)
    t.equal(own.statusCode, status)
    t.equal(own.headers['access-control-allow-origin'], SHOP, String(status))
    t.equal(own.headers.vary, 'Origin')
    const foreign = await send()('https://evil.test')
    t.ok(foreign.statusCode >= 400 && foreign.statusCode <= 403)
    t.equal(foreign.headers['access-control-allow-origin'], undefined)
    t.equal(foreign.headers.vary, 'Origin')
  }
  for (let i = 0; i < 20; i++) await post('/v1/t', { event: 'e' })
  for (const [origin, expected] of [[SHOP, SHOP], ['https://evil.test', undefined]] as const) {
    const limited = await post('/v1/t', { event: 'e' }, { origin })
    t.equal(limited.statusCode, 429)
    t.equal(codeOf(limited), 'RATE_LIMITED')
    t.equal(limited.headers['access-control-allow-origin'], expected)
    t.equal(limited.headers.vary, 'Origin')
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/v1/t',
      headers: { origin, 'access-control-request-method': 'POST' }
    })
    t.equal(preflight.statusCode, 429)
    t.equal(preflight.headers['access-control-allow-origin'], expected)
  }
  t.ok(key)
})

t.test('responses to requests without an Origin vary by Origin too', async (t) => {
  const { post } = await gateway(t)
  t.equal((await post('/v1/t', { event: 'e' })).headers.vary, 'Origin')
  t.equal((await post('/v1/t', {})).headers.vary, 'Origin')
  t.equal((await post('/v1/t', {}, { authorization: 'x' })).headers.vary, 'Origin')
})

t.test('a signed event with another origin is stored, and its response has no CORS headers', async (t) => {
  const { signed, stored } = await gateway(t)
  const response = await signed('/v1/t', { event: 'e', userId: 'u' }, { origin: 'https://evil.test' })
  t.equal(response.statusCode, 200)
  t.equal(response.headers['access-control-allow-origin'], undefined)
  t.match(await stored(), [{ authMethod: 'signature' }])
})

t.test('ingestion and a host with its own CORS, rate limit and error handler do not affect each other', async (t) => {
  const { store } = await backend(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cors, { origin: true, credentials: true })
  await app.register(rateLimit, { max: 1_000 })
  app.setErrorHandler((_error, _request, reply) => reply.code(500).send('host'))
  await app.register(tokenStore, { store })
  await app.register(ingestion, { prefix: '/in' })
  app.post('/host', async ({ body }) => body)
  const { key } = await makeSource(store)
  const post = async (url: string, origin: string, payload: object) =>
    app.inject({ method: 'POST', url, payload, headers: { origin, authorization: `Bearer ${key}` } })

  t.equal((await post('/in/v1/t', SHOP, { event: 'e' })).headers['access-control-allow-origin'], SHOP)
  const evil = await post('/in/v1/t', 'https://evil.test', { event: 'e' })
  t.equal(evil.statusCode, 403)
  t.equal(evil.headers['access-control-allow-origin'], undefined)
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/in/v1/t',
    headers: { origin: 'https://evil.test', 'access-control-request-method': 'POST' }
  })
  t.equal(preflight.headers['access-control-allow-origin'], undefined)
  t.equal((await post('/v1/t', SHOP, { event: 'e' })).statusCode, 404)

  const host = await post('/host', 'https://evil.test', { a: 1 })
  t.same([host.statusCode, host.json(), host.headers['access-control-allow-origin']], [200, { a: 1 },
    'https://evil.test'])
  t.equal(
    (await app.inject({ method: 'POST', url: '/host', payload: '{', headers: { 'content-type': 'application/json' } }))
      .body,
    'host'
  )
})
