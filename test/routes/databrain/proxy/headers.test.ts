import t from 'tap'

import { PREFIX, proxyApp } from '../../../helpers/databrain-proxy.js'
import { PROXY_KEY, tokenOf } from '../../../helpers/guest-token.js'
import { rawExchange } from '../../../helpers/raw-socket.js'
import { reply } from '../../../helpers/stub-upstream.js'

const NOT_SENT = {
  Cookie: 'user=ann; session=s3cret',
  Authorization: 'Bearer of-the-host',
  'X-Plugin-Token': 'caller-chosen-token',
  'X-User-Reference': 'v1.caller.reference',
  'X-CSRF-Token': 'csrf',
  'X-Captcha-Token': 'captcha',
  Forwarded: 'for=10.0.0.1',
  'X-Forwarded-For': '10.0.0.1',
  'X-Forwarded-Host': 'evil.test',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Anything': 'x',
  'X-Real-IP': '10.0.0.1',
  Via: '1.1 a',
  'Keep-Alive': 'timeout=5',
  'Proxy-Connection': 'keep-alive',
  'Proxy-Authorization': 'Basic eA==',
  TE: 'trailers',
  Trailer: 'X-End',
  'X-HTTP-Method-Override': 'DELETE',
  'X-Original-URL': '/admin',
  'X-Rewrite-URL': '/admin',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'vendor=1',
  baggage: 'user=ann',
  'X-Request-Id': 'client-1',
  'X-Named': 'by the Connection header',
  Expect: '100-continue'
}
const SENT = {
  Accept: 'application/json',
  'Accept-Encoding': 'gzip, br',
  'Accept-Language': 'de',
  'Content-Type': 'application/json',
  'If-None-Match': '"a"',
  Origin: 'https://app.example.com',
  Range: 'bytes=0-9',
  'User-Agent': 'component/1',
  'X-Plugin-Origin': 'app.example.com',
  'X-Custom': 'caf\xe9'
}

t.test('the proxy drops credentials, forwarding and hop-by-hop headers, and forwards all other request ' +
  'headers', async (t) => {
  const { upstream, listen } = await proxyApp(t)
  const lines = Object.entries({ ...NOT_SENT, ...SENT }).map(([name, value]) => `${name}: ${value}`)
  const text = await rawExchange(
    await listen(),
    [
      `POST ${PREFIX}/x HTTP/1.1`,
      'Host: app.example.com',
      `X-Proxy-Auth-Key: ${PROXY_KEY}`,
      'Connection: close, X-Named, X-Plugin-Token, Content-Type-Not',
      ...lines,
      'Referer: https://app.example.com/page?ref=v1.page.reference',
      'Content-Length: 2',
      '',
      '{}'
    ].join('\r\n')
  )
  t.match(text, /HTTP\/1\.1 200 OK/)
  const [call] = upstream.calls
  const names = (call?.rawHeaders ?? []).filter((_text, at) => at % 2 === 0).map((name) => name.toLowerCase())
  t.same(
    names.toSorted(),
    [
      ...Object.keys(SENT).map((name) => name.toLowerCase()),
      'connection',
      'content-length',
      'host',
      'referer',
      'x-plugin-token'
    ].toSorted(),
    'exactly these headers, each once'
  )
  for (const [name, value] of Object.entries(SENT)) t.equal(call?.headers[name.toLowerCase()], value, name)
  t.match(call?.headers, {
    host: new URL(upstream.origin).host,
    connection: 'keep-alive',
    referer: 'https://app.example.com/',
    'x-plugin-token': tokenOf('ann')
  })
  t.notMatch(upstream.rawBytes(), /s3cret|of-the-host|caller|10\.0\.0\.1|evil\.test|page\.reference/)
  t.notMatch(upstream.rawBytes(), PROXY_KEY)
})

t.test('a chunked body is forwarded whole, without its trailers and chunk extensions', async (t) => {
  const { upstream, listen } = await proxyApp(t)
  const text = await rawExchange(
    await listen(),
    [
      `POST ${PREFIX}/x HTTP/1.1`,
      'Host: a',
      `X-Proxy-Auth-Key: ${PROXY_KEY}`,
      'Cookie: user=ann',
      'Connection: close',
      'Transfer-Encoding: chunked',
      'Trailer: Cookie',
      '',
      '3',
      'abc',
      '2;ext=1',
      'de',
      '0',
      'Cookie: user=eve',
      '',
      ''
    ].join('\r\n')
  )
  t.match(text, /HTTP\/1\.1 200 OK/)
  t.equal(upstream.calls[0]?.body.toString(), 'abcde')
  t.equal(upstream.calls[0]?.headers['x-plugin-token'], tokenOf('ann'))
  t.notOk('trailer' in (upstream.calls[0]?.headers ?? {}))
  t.notMatch(upstream.rawBytes(), /ext=1|user=/)
})

const NOT_RELAYED = {
  'set-cookie': ['a=1', 'b=2'],
  'www-authenticate': 'Basic',
  'access-control-allow-origin': '*',
  'access-control-allow-credentials': 'true',
  'access-control-allow-methods': '*',
  'keep-alive': 'timeout=5',
  'proxy-authenticate': 'Basic',
  upgrade: 'h2c',
  trailer: 'x-end',
  expires: 'Wed, 21 Oct 2099 07:28:00 GMT',
  age: '5',
  pragma: 'public',
  'surrogate-control': 'max-age=60',
  'cdn-cache-control': 'max-age=60',
  'cloudflare-cdn-cache-control': 'max-age=60',
  'strict-transport-security': 'max-age=1',
  'alt-svc': 'h3=":443"',
  'clear-site-data': '"*"',
  'service-worker-allowed': '/',
  'x-accel-redirect': '/internal/secrets',
  'x-sendfile': '/etc/passwd',
  location: 'https://elsewhere.example.com/',
  refresh: '0; url=https://elsewhere.example.com/',
  server: 'upstream/1',
  'x-powered-by': 'upstream',
  'x-plugin-token': 'echoed',
  'x-request-id': '7',
  'x-named': 'by Connection'
}
const RELAYED = {
  'content-type': 'application/vnd.a+json; charset=utf-8',
  'content-language': 'de',
  'content-disposition': 'attachment; filename="caf\xe9.csv"',
  etag: '"a"',
  'last-modified': 'Wed, 21 Oct 2015 07:28:00 GMT',
  'x-twice': ['a', 'b']
}

t.test('the proxy drops cookies, caching, CORS, origin and hop-by-hop headers, and relays all other response ' +
  'headers', async (t) => {
  const { upstream, call } = await proxyApp(t)
  upstream.answer = reply('{}', 201, {
    ...NOT_RELAYED,
    ...RELAYED,
    connection: 'close, x-named',
    'cache-control': 'public, max-age=600',
    vary: 'Accept-Encoding'
  })
  const { statusCode, headers } = await call()
  t.equal(statusCode, 201)
  for (const name of Object.keys(NOT_RELAYED)) t.notOk(name in headers, name)
  for (const [name, value] of Object.entries(RELAYED)) t.same(headers[name], value, name)
  t.match(headers, { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', vary: 'Accept-Encoding' })
})

t.test('an encoded response stays encoded', async (t) => {
  const { upstream, call } = await proxyApp(t)
  upstream.answer = reply(Buffer.from([1, 2, 255]), 200, { 'content-encoding': 'br' })
  const { headers, rawPayload } = await call()
  t.equal(headers['content-encoding'], 'br')
  t.same(rawPayload, Buffer.from([1, 2, 255]))
})

const ORIGIN = 'https://app.example.com'

t.test('a preflight of an allowed origin allows the key header, and a preflight of another origin is ' +
  '403', async (t) => {
  const { call, upstream } = await proxyApp(t, { cors: { origins: [ORIGIN] } })
  const asked = {
    origin: ORIGIN,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type,x-plugin-origin,x-plugin-token,x-proxy-auth-key'
  }
  const granted = await call({ method: 'OPTIONS', headers: asked })
  t.equal(granted.statusCode, 204)
  t.match(granted.headers, {
    'access-control-allow-origin': ORIGIN,
    'access-control-allow-credentials': 'true',
    vary: /Origin/
  })
  for (const name of asked['access-control-request-headers'].split(',')) {
    t.match(granted.headers['access-control-allow-headers'], name)
  }
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    t.match(granted.headers['access-control-allow-methods'], method)
  }
  t.ok(Number(granted.headers['access-control-max-age']) <= 600)
  for (const origin of ['https://evil.test', 'null', `${ORIGIN}.evil.test`]) {
    const refused = await call({ method: 'OPTIONS', headers: { ...asked, origin } })
    t.equal(refused.statusCode, 403)
    t.notOk('access-control-allow-origin' in refused.headers)
  }
  t.equal(upstream.connections(), 0, 'a preflight is not forwarded')
})

t.test('cors.allowedHeaders is extended by the key header', async (t) => {
  const { call } = await proxyApp(t, { cors: { origins: [ORIGIN], allowedHeaders: ['X-Mine'], methods: ['POST'] } })
  const { headers } = await call({
    method: 'OPTIONS',
    headers: { origin: ORIGIN, 'access-control-request-method': 'POST' }
  })
  t.equal(headers['access-control-allow-headers'], 'x-mine, x-proxy-auth-key')
  t.equal(headers['access-control-allow-methods'], 'POST')
})

t.test('a response to an allowed origin has the CORS headers of the proxy, and another origin is 403 without CORS ' +
  'headers', async (t) => {
  const { call, upstream, headers } = await proxyApp(t, { cors: { origins: [ORIGIN] } })
  upstream.answer = reply('no', 500, { 'access-control-allow-origin': '*', vary: 'Accept' })
  for (const [sent, status] of [[headers(), 500], [{}, 401], [{ 'x-proxy-auth-key': PROXY_KEY }, 401]] as const) {
    const answer = await call({ headers: { ...sent, origin: ORIGIN } })
    t.equal(answer.statusCode, status)
    t.match(answer.headers, { 'access-control-allow-origin': ORIGIN, vary: /Origin/ })
  }
  upstream.calls.splice(0)
  for (const origin of ['https://evil.test', 'null', '']) {
    const answer = await call({ headers: { ...headers(), origin } })
    t.equal(answer.statusCode, 403)
    t.equal(answer.json().error.code, 'ORIGIN_NOT_ALLOWED')
    t.notOk('access-control-allow-origin' in answer.headers)
    t.match(answer.headers.vary, /Origin/)
  }
  t.equal(upstream.calls.length, 0)
})

t.test('without "cors" a preflight is 404, and responses have no CORS headers and are not cached', async (t) => {
  const { call, headers } = await proxyApp(t)
  t.equal(
    (await call({ method: 'OPTIONS', headers: { origin: ORIGIN, 'access-control-request-method': 'POST' } }))
      .statusCode,
    404
  )
  for (const sent of [headers(), {}]) {
    const answer = await call({ headers: { ...sent, origin: ORIGIN } })
    t.notOk('access-control-allow-origin' in answer.headers)
    t.equal(answer.headers['cache-control'], 'no-store')
  }
})
