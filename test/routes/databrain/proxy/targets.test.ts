import type { FastifyInstance } from 'fastify'
import t from 'tap'

import userReference from '../../../../plugins/user-reference/index.js'
import { KEY, PREFIX, proxyApp } from '../../../helpers/databrain-proxy.js'
import { PROXY_KEY, REFERENCE_KEY, tokenOf } from '../../../helpers/guest-token.js'
import { rawExchange, rawRequest } from '../../../helpers/raw-socket.js'

const HEADERS = ['Host: a', `X-Proxy-Auth-Key: ${PROXY_KEY}`, 'Cookie: user=ann', 'Connection: close']

const REFUSED = [
  '//',
  '//evil.test/x',
  '/a//b',
  '/a//',
  '/..',
  '/../x',
  '/a/..',
  '/a/../b',
  '/.',
  '/./a',
  '/a/.',
  '/..;/x',
  '/.;x/y',
  '/a/..;/b',
  '/%2e',
  '/%2e%2e/x',
  '/%2E%2e',
  '/.%2e/x',
  '/%2e./x',
  '/a%2fb',
  '/a%2Fb',
  '/%2f%2fevil.test',
  '/..%2fx',
  '/a%5cb',
  '/..%5cx',
  '/a\\b',
  '/..\\x',
  '/\\evil.test',
  '/%252e%252e/x',
  '/%252fx',
  '/%255c',
  '/50%25',
  '/%c0%ae%c0%ae/x',
  '/%c0%af',
  '/%e0%80%ae',
  '/%00',
  '/a%00b',
  '/%0d%0aX: y',
  '/%0a',
  '/%7f',
  '/%u002e',
  '/%',
  '/%zz',
  '/a#b',
  '/a?b#c',
  '/#',
  '/\xe9',
  '/a?\xe9',
  '/<b>',
  '/"a"',
  '/a^b',
  '/`a`',
  '/{a}'
]

const NO_URL = /^\/%(?:c0|e0|u|zz|$)|[ \xe9]/

t.test('a path that could escape from the base path is 400, and no upstream is called', async (t) => {
  const { listen, upstream, api } = await proxyApp(t)
  const origin = await listen()
  for (const path of REFUSED) {
    const { statusCode, body } = await rawRequest(origin, [`GET ${PREFIX}${path} HTTP/1.1`, ...HEADERS])
    t.equal(statusCode, 400, JSON.stringify(path))
    // Node's parser and Fastify's router refuse an invalid URL before any route receives it.
    if (!NO_URL.test(path)) t.match(JSON.parse(body), { error: { code: 'INVALID_REQUEST' } }, JSON.stringify(path))
  }
  t.equal(upstream.connections() + api.connections(), 0)
})

t.test('an absolute-form target is refused, whichever host it names', async (t) => {
  const { listen, upstream } = await proxyApp(t)
  const origin = await listen()
  for (
    const target of [`http://evil.test${PREFIX}/x`, `https://evil.test${PREFIX}/x`, `http://a${PREFIX}/x`,
      `${origin}${PREFIX}/x`, `HTTP://a${PREFIX}/x`]
  ) {
    const { statusCode } = await rawRequest(origin, [`GET ${target} HTTP/1.1`, ...HEADERS])
    t.ok([400, 404].includes(statusCode), target)
  }
  t.match(await rawRequest(origin, [`GET http://a${PREFIX}/x HTTP/1.1`, ...HEADERS]), {
    statusCode: 400,
    body: /INVALID_REQUEST/
  })
  t.equal(upstream.connections(), 0)
})

t.test('bytes that end a line in a target or a header cause no second request', async (t) => {
  const { listen, upstream } = await proxyApp(t)
  const origin = await listen()
  for (const target of ['/a\0b', '/a b', '/a\x7f', '/a\nb', '/a\rb']) {
    t.match(
      await rawExchange(origin, [`GET ${PREFIX}${target} HTTP/1.1`, ...HEADERS, '', ''].join('\r\n')),
      /^HTTP\/1\.1 400 /,
      JSON.stringify(target)
    )
  }
  t.equal(upstream.connections(), 0)
  // Node reads this as a request of HTTP/0.9 with a header named X.
  const text = await rawExchange(origin, [`GET ${PREFIX}/a\r\nX: y HTTP/1.1`, ...HEADERS, '', ''].join('\r\n'))
  t.equal(text.match(/HTTP\/1\.1 /g)?.length, 1)
  t.same(upstream.calls.map(({ url, headers }) => [url, headers['x']]), [['/backend/a', 'y HTTP/1.1']])
})

t.test('a request with two framings gets at most one response, and the bytes after its body are not ' +
  'forwarded', async (t) => {
  const { listen, upstream } = await proxyApp(t)
  const origin = await listen()
  const smuggled = `POST ${PREFIX}/smuggled HTTP/1.1\r\nHost: a\r\n\r\n`
  for (
    const framing of [
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Content-Length: 5', 'Content-Length: 6'],
      ['Transfer-Encoding: chunked, identity'],
      ['Transfer-Encoding: xchunked'],
      ['Content-Length: +5'],
      ['Content-Length: 5,5'],
      ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']
    ]
  ) {
    const text = await rawExchange(
      origin,
      [`POST ${PREFIX}/x HTTP/1.1`, ...HEADERS, ...framing, '', `0\r\n\r\n${smuggled}`].join('\r\n')
    )
    t.ok((text.match(/HTTP\/1\.1 /g) ?? []).length <= 1, framing.join())
  }
  t.notOk(upstream.calls.some(({ url }) => url.includes('smuggled')))
})

t.test('a GET or HEAD with a body is 400, and the body does not become another request', async (t) => {
  const { listen, upstream } = await proxyApp(t)
  const origin = await listen()
  for (const method of ['GET', 'HEAD']) {
    for (const framing of ['Content-Length: 3', 'Transfer-Encoding: chunked']) {
      t.equal(
        (await rawRequest(origin, [`${method} ${PREFIX}/x HTTP/1.1`, ...HEADERS, framing], '3\r\nabc\r\n0\r\n\r\n'))
          .statusCode,
        400
      )
    }
    t.equal(
      (await rawRequest(origin, [`${method} ${PREFIX}/x HTTP/1.1`, ...HEADERS, 'Content-Length: 0'])).statusCode,
      200
    )
  }
  t.equal(upstream.calls.length, 2)
})

t.test('an upgrade is 400, and methods that the component does not use are 404', async (t) => {
  const { listen, upstream } = await proxyApp(t)
  const origin = await listen()
  const upgrade = ['Host: a', `X-Proxy-Auth-Key: ${PROXY_KEY}`, 'Cookie: user=ann', 'Connection: Upgrade, close',
    'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: eA==']
  for (const to of ['websocket', 'h2c']) {
    t.equal((await rawRequest(origin, [`GET ${PREFIX}/x HTTP/1.1`, ...upgrade, `Upgrade: ${to}`])).statusCode, 400)
  }
  for (const method of ['TRACE', 'OPTIONS', 'PROPFIND']) {
    t.equal((await rawRequest(origin, [`${method} ${PREFIX}/x HTTP/1.1`, ...HEADERS])).statusCode, 404, method)
  }
  t.equal(await rawExchange(origin, 'CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n'), '')
  t.equal(upstream.connections(), 0)
})

t.test('a prefix with a parameter or in another encoding is removed from the forwarded path', async (t) => {
  const { listen, upstream } = await proxyApp(t, { prefix: '/:tenant/proxy' })
  t.equal((await rawRequest(await listen(), ['GET /acme/pr%6fxy/a/b?c HTTP/1.1', ...HEADERS])).statusCode, 200)
  t.same(upstream.calls.map(({ url }) => url), ['/backend/a/b?c'])
})

t.test('every forwarded path starts with the base path, and an empty path is the base path', async (t) => {
  const { call, upstream } = await proxyApp(t)
  await call({ url: `${PREFIX}/` })
  await call({ url: `${PREFIX}/?a` })
  await call({ url: `${PREFIX}/http://evil.test/`.replace('//', '/') })
  await call({ url: `${PREFIX}/@evil.test:80/x`, headers: { ...KEY, cookie: 'user=ann', host: 'evil.test' } })
  t.same(upstream.calls.map(({ url }) => url), ['/backend/', '/backend/?a', '/backend/http:/evil.test/',
    '/backend/@evil.test:80/x'])
})

t.test('a call to the guest-token API is 403 in every spelling, and no upstream is called', async (t) => {
  const { call, upstream, api } = await proxyApp(t)
  for (
    const path of [
      '/api/v2/guest-token/create',
      '/api/v2/guest-token',
      '/api/v2/guest-token/revoke?x',
      '/API/V2/Guest-Token/create',
      '/api/v2/guest%2dtoken/create',
      '/api/v2/%67uest-toke%6E/x',
      '/api/v2/guest-token;a=b/create',
      '/api;a/v2/guest-token/create',
      '/api/v3/guest-token/create',
      '/guest-token/create'
    ]
  ) {
    const response = await call({ method: 'POST', url: PREFIX + path, payload: '{}' })
    t.match([response.statusCode, response.json()], [403, { error: { code: 'FORBIDDEN' } }], path)
  }
  t.equal(upstream.connections() + api.connections(), 0)
  for (const path of ['/api/v2/guest-tokens-report', '/api/v2/dashboard?next=/api/v2/guest-token/create']) {
    t.equal((await call({ url: PREFIX + path })).statusCode, 200, path)
  }
})

t.test('a user reference is removed from the query in every spelling, and the rest of the query is ' +
  'unchanged', async (t) => {
  const { app, call, listen, upstream } = await proxyApp(
    t,
    {},
    {},
    (app) => app.register(userReference, { keys: [REFERENCE_KEY] })
  )
  const ref = app.userReference.sign({ sub: 'ann' })
  const cases = [
    [`?ref=${ref}`, ''],
    [`?a=1&ref=${ref}&b=%20+%27(~)%zz&&c=?x`, '?a=1&b=%20+%27(~)%zz&&c=?x'],
    [`?%72e%66=${ref}&a`, '?a'],
    ['?a=b&xref=1&Ref=2&ref[]=3', '?a=b&xref=1&Ref=2&ref[]=3'],
    ['?q=ref=1&x=%26ref=2', '?q=ref=1&x=%26ref=2'],
    ['', '']
  ] as const
  for (const [query] of cases) t.equal((await call({ url: `${PREFIX}/x${query}` })).statusCode, 200, query)
  t.equal(
    (await rawRequest(await listen(), [`GET ${PREFIX}/x?ref=${ref}&a='b'%27| HTTP/1.1`, ...HEADERS])).statusCode,
    200
  )
  t.same(upstream.calls.map(({ url }) => url), [...cases.map(([, kept]) => `/backend/x${kept}`),
    "/backend/x?a='b'%27|"])
  t.notOk(upstream.rawBytes().includes(ref))
})

t.test('"ref" is removed from the query without a userReference guard too', async (t) => {
  const { call, upstream } = await proxyApp(t)
  t.equal((await call({ url: `${PREFIX}/x?ref=v1.a.b&a` })).statusCode, 200)
  t.same(upstream.calls.map(({ url }) => url), ['/backend/x?a'])
})

t.test('"ref" is read as a user reference in a host with that guard, unless "guards" turns it off', async (t) => {
  const withReferences = (app: FastifyInstance) => app.register(userReference, { keys: [REFERENCE_KEY] })
  const url = `${PREFIX}/x?ref=main`
  t.equal((await (await proxyApp(t, {}, {}, withReferences)).call({ url })).statusCode, 401)
  const { call, upstream } = await proxyApp(t, { guards: { userReference: false } }, {}, withReferences)
  t.equal((await call({ url })).statusCode, 200)
  t.match(upstream.calls, [{ url: '/backend/x?ref=main', headers: { 'x-plugin-token': tokenOf('ann') } }])
})
