import { connect } from 'node:net'

import t from 'tap'

import { demoApp } from '../helpers/server-app.js'
import { rawExchange, rawRequest } from '../helpers/raw-socket.js'

/** Longer than any test runs, in milliseconds. */
const LONG = '300000'
const filler = (count: number) => Array.from({ length: count }, (_, at) => `X-${at}: 1`)

t.test('a request whose headers arrive slowly ends with 408', async (t) => {
  const { app } = await demoApp(t, { HEADERS_TIMEOUT_MS: '1000', REQUEST_TIMEOUT_MS: LONG }, { listen: true })
  const text = await drip(app.listeningOrigin, 'GET /healthz HTTP/1.1\r\nHost: a\r\n', 'X-Slow: 1\r\n')
  t.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n/)
  t.match(text, /\{"error":\{"code":"INVALID_REQUEST",/)
})

t.test('a request whose body arrives slowly ends with 408', async (t) => {
  const { app, first } = await demoApp(t, { HEADERS_TIMEOUT_MS: '800', REQUEST_TIMEOUT_MS: '1500' }, { listen: true })
  const head =
    `POST /v1/t HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${first.pipelineKey}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`
  const text = await drip(app.listeningOrigin, head, ' ')
  t.match(text, /^HTTP\/1\.1 408 Request Timeout\r\n/)
  t.equal((await app.inject('/healthz')).statusCode, 200)
})

t.test('an idle connection is closed after the keep-alive timeout', async (t) => {
  const { app } = await demoApp(t, { KEEP_ALIVE_TIMEOUT_MS: '300' }, { listen: true })
  t.match(await rawExchange(app.listeningOrigin, 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'), /^HTTP\/1\.1 200/)
})

t.test('more than 16 KB of headers, or more than 200 headers, are 431', async (t) => {
  const { app } = await demoApp(t, {}, { listen: true })
  const ask = (lines: string[]) =>
    rawRequest(app.listeningOrigin, ['GET /healthz HTTP/1.1', 'Host: a', 'Connection: close', ...lines])
  t.equal((await ask(filler(198))).statusCode, 200)
  for (
    const [name, lines] of [['201', filler(199)], ['1500', filler(1_500)], ['17 KB', [
      `X-Big: ${'a'.repeat(17_000)}`
    ]]] as const
  ) {
    const { statusCode, body } = await ask([...lines])
    t.equal(statusCode, 431, name)
    t.equal(JSON.parse(body).error.code, 'INVALID_REQUEST', name)
  }
})

t.test('two Host headers, a missing Host header or a broken request line is 400', async (t) => {
  const { app } = await demoApp(t, {}, { listen: true })
  const cases: Record<string, string[]> = {
    'two hosts': ['GET /healthz HTTP/1.1', 'Host: a', 'Host: b', 'Connection: close'],
    'the same host twice': ['GET /healthz HTTP/1.1', 'Host: a', 'HOST: a', 'Connection: close'],
    'no host': ['GET /healthz HTTP/1.1', 'Connection: close'],
    'no HTTP': ['HELLO'],
    'a bad escape': ['GET /%zz HTTP/1.1', 'Host: a', 'Connection: close']
  }
  for (const [name, lines] of Object.entries(cases)) {
    t.equal((await rawRequest(app.listeningOrigin, lines)).statusCode, 400, name)
  }
})

t.test('only requests for unknown paths are limited', async (t) => {
  const { app } = await demoApp(t, { NOT_FOUND_RATE_MAX: '10' })
  const ask = (at: number) =>
    app.inject(at % 2 === 0 ? { url: `/wp-admin/${at}` } : { method: 'POST', url: `/wp-admin/${at}`, payload: '{' })
  const statuses: number[] = []
  for (let at = 0; at < 15; at++) statuses.push((await ask(at)).statusCode)
  t.same(statuses, [...Array(10).fill(404), ...Array(5).fill(429)])
  const limited = await ask(0)
  t.equal(limited.json().error.code, 'RATE_LIMITED')
  t.match(limited.headers['retry-after'], /^\d+$/)
  t.equal((await app.inject('/healthz')).statusCode, 200)
  t.equal((await app.inject({ url: '/nothing', remoteAddress: '192.0.2.7' })).statusCode, 404, 'another address')
})

t.test('an address that an untrusted peer claims is ignored', async (t) => {
  const { app } = await demoApp(t, { NOT_FOUND_RATE_MAX: '2' })
  const statuses = []
  for (let at = 0; at < 4; at++) {
    statuses.push((await app.inject({ url: '/nothing', headers: { 'x-forwarded-for': `10.1.1.${at}` } })).statusCode)
  }
  t.same(statuses, [404, 404, 429, 429])
})

t.test('every response has nosniff and no version, and pages have a strict policy', async (t) => {
  const { app, products } = await demoApp(t)
  for (
    const url of ['/', '/healthz', '/readyz', '/nothing', '/%zz', '/docs', '/docs/json', '/demo/start.js',
      '/v1/admin/sources', '/api/generate-token']
  ) {
    const { headers } = await app.inject(url)
    t.equal(headers['x-content-type-options'], 'nosniff', url)
    t.match(headers['content-type'] ?? 'application/json; charset=utf-8', /charset=utf-8/i, url)
    t.equal(headers['x-powered-by'], undefined, url)
    t.equal(headers.server, undefined, url)
    t.equal(headers['strict-transport-security'], undefined, `${url}: not over plain http`)
  }
  const policy = String((await app.inject('/')).headers['content-security-policy'])
  t.match(policy, "default-src 'none'")
  t.notMatch(policy, /unsafe|\*/)
  t.match(policy, `frame-src ${products.databrain?.mockOrigin}`)
})

t.test('responses over HTTPS have HSTS', async (t) => {
  const { app } = await demoApp(t, { TRUST_PROXY: 'loopback' })
  const { headers } = await app.inject({ url: '/healthz', headers: { 'x-forwarded-proto': 'https' } })
  t.match(headers['strict-transport-security'], /max-age=31536000/)
})

t.test('each kind of refusal is an envelope without internal details', async (t) => {
  const { app, first } = await demoApp(t)
  const json = { 'content-type': 'application/json' }
  const key = { authorization: `Bearer ${first.pipelineKey}` }
  const cases: Array<[number, string, object]> = [
    [404, 'NOT_FOUND', { url: '/nothing' }],
    [400, 'INVALID_REQUEST', { url: '/%zz' }],
    [400, 'INVALID_JSON', { method: 'POST', url: '/v1/admin/auth/login', headers: json, payload: '{' }],
    [400, 'INVALID_REQUEST', { method: 'POST', url: '/v1/admin/auth/login', headers: json, payload: '{}' }],
    [415, 'UNSUPPORTED_MEDIA_TYPE', {
      method: 'POST',
      url: '/authorize',
      headers: { 'content-type': 'text/xml' },
      payload: '<a/>'
    }],
    [401, 'INVALID_PIPELINE_KEY', { method: 'POST', url: '/v1/t', headers: json, payload: '{}' }],
    [400, 'INVALID_REQUEST', { method: 'POST', url: '/v1/t', headers: { ...json, ...key }, payload: '{}' }],
    [413, 'PAYLOAD_TOO_LARGE', {
      method: 'POST',
      url: '/v1/t',
      headers: { ...json, ...key },
      payload: JSON.stringify({ event: 'x'.repeat(600_000) })
    }],
    [401, 'UNAUTHORIZED', { url: '/v1/admin/sources' }],
    [401, 'UNAUTHORIZED', { url: '/api/databrain/guest-token' }]
  ]
  for (const [status, code, request] of cases) {
    const answer = await app.inject(request)
    t.equal(answer.statusCode, status, `${code} ${JSON.stringify(request).slice(0, 80)}`)
    t.equal(answer.json().error.code, code)
    t.notMatch(answer.body, /node_modules|\/work|\.[tj]s\b|fastify|at .+:\d+|select |FST_/i)
  }
})

/** Sends the head at once and then a bit more each 50 ms, until the server closes. */
function drip (origin: string, head: string, more: string): Promise<string> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve) => {
    let text = ''
    let timer: NodeJS.Timeout | undefined
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      socket.write(head)
      timer = setInterval(() => {
        socket.write(more)
      }, 50)
    })
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(timer)
      resolve(text)
    })
  })
}
