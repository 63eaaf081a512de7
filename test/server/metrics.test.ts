import t from 'tap'

import { samplesOf, scraped } from '../helpers/metrics.js'
import { codeOf } from '../helpers/gateway.js'
import { rawRequest } from '../helpers/raw-socket.js'
import { demoApp } from '../helpers/server-app.js'

const TOKEN = 'm3trics-token-0123456789-abcdefghijkl'

t.test('the built-in server shows its metrics to this machine only', async (t) => {
  const { app } = await demoApp(t, { TRUST_PROXY: '127.0.0.1' })
  t.equal((await app.inject('/metrics')).statusCode, 200)
  for (
    const request of [
      { remoteAddress: '10.0.0.5' },
      { remoteAddress: '127.0.0.1', headers: { 'x-forwarded-for': '127.0.0.1' } },
      { remoteAddress: '127.0.0.1', headers: { 'x-forwarded-for': '203.0.113.7' } }
    ]
  ) {
    const response = await app.inject({ url: '/metrics', ...request })
    t.equal(response.statusCode, 403)
    t.equal(codeOf(response), 'FORBIDDEN')
  }
})

t.test('with METRICS_TOKEN the built-in server shows its metrics to each caller with the token', async (t) => {
  const { app, log } = await demoApp(t, { METRICS_TOKEN: TOKEN, REQUIRE_HTTPS: 'on' })
  const get = (headers: Record<string, string>) => app.inject({ url: '/metrics', remoteAddress: '10.0.0.5', headers })
  t.equal((await get({ authorization: `Bearer ${TOKEN}` })).statusCode, 200)
  t.equal((await get({})).statusCode, 401)
  t.equal((await app.inject('/metrics')).statusCode, 401, 'on this machine too')
  t.notMatch(log.text(), TOKEN)
})

t.test('scrapes are never limited as requests to unknown paths are, nor logged', async (t) => {
  const { app, log } = await demoApp(t, { NOT_FOUND_RATE_MAX: '2' })
  for (let request = 0; request < 4; request++) await app.inject('/nowhere')
  t.equal((await app.inject('/nowhere')).statusCode, 429)
  for (let request = 0; request < 20; request++) t.equal((await app.inject('/metrics')).statusCode, 200)
  t.notMatch(log.text(), '"/metrics"')
})

t.test('every route of the built-in server is counted by its template', async (t) => {
  const { app } = await demoApp(t)
  await app.inject('/healthz')
  await app.inject({ method: 'GET', url: '/v1/admin/sources/4f3c2b1a-0000-4000-8000-000000000000' })
  await app.inject({ method: 'POST', url: '/v1/t', payload: { event: 'e' } })
  await app.inject('/api/databrain/guest-token?ref=x')
  await app.inject({ method: 'POST', url: '/authorize', payload: {} })
  const samples = await scraped(app)
  t.same(samples.values('gatehouse_http_requests_total', 'route').filter((route) => route !== '/metrics'), [
    '/api/databrain/guest-token',
    '/authorize',
    '/healthz',
    '/v1/admin/sources/:id',
    '/v1/t'
  ])
  t.equal(samplesOf((await app.inject('/metrics')).body).sum('gatehouse_guard_decisions_total', { guard: 'admin' }), 1)
})

t.test('requests that are refused before their route is known are counted with their status', async (t) => {
  const { app, first } = await demoApp(t, {}, { listen: true })
  const counted = async (labels: Record<string, string>) =>
    (await scraped(app)).sum('gatehouse_http_requests_total', labels)
  const post = (type: string, payload: string) => ({
    method: 'POST' as const,
    url: '/v1/t',
    headers: { 'content-type': type, authorization: `Bearer ${first.pipelineKey}` },
    payload
  })
  for (
    const [request, status, route] of [
      ['/nowhere', 404, 'unknown'],
      ['/%zz', 400, 'unknown'],
      [`/v1/admin/sources/${'a'.repeat(300)}`, 400, 'unknown'],
      [post('application/json', `{"a":"${'a'.repeat(600_000)}"}`), 413, '/v1/t'],
      [post('application/xml', '<a/>'), 415, '/v1/t']
    ] as const
  ) {
    const before = await counted({ route, status: String(status) })
    t.equal((await app.inject(request)).statusCode, status)
    t.equal(await counted({ route, status: String(status) }), before + 1, JSON.stringify(request).slice(0, 50))
  }

  const lines = ['GET /healthz HTTP/1.1', 'Host: a', 'Connection: close']
  for (
    const [sent, status, route] of [
      [[...lines, ...Array.from({ length: 250 }, (_, at) => `X-${at}: 1`)], 431, '/healthz'],
      [[...lines, `X-Big: ${'a'.repeat(17_000)}`], 431, 'unknown'],
      [['HELLO'], 400, 'unknown']
    ] as const
  ) {
    const before = await counted({ route, status: String(status) })
    t.equal((await rawRequest(app.listeningOrigin, [...sent])).statusCode, status)
    t.equal(await counted({ route, status: String(status) }), before + 1, `${status} ${route}`)
  }
})
