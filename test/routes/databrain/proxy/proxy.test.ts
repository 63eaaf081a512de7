import { createHash, randomBytes } from 'node:crypto'

import Fastify from 'fastify'
import t from 'tap'

import { FORBIDDEN } from '../../../../lib/errors.js'
import databrainProxy from '../../../../routes/databrain/proxy/index.js'
import { generateSecret } from '../../../../signing/secret-strength/index.js'
import { BASE, KEY, PREFIX, proxyApp, userOf } from '../../../helpers/databrain-proxy.js'
import { API_KEY, mint, PROXY_KEY, tokenOf } from '../../../helpers/guest-token.js'
import { logReader } from '../../../helpers/log-reader.js'
import { rawRequest } from '../../../helpers/raw-socket.js'
import { inTurn, reply, stubUpstream } from '../../../helpers/stub-upstream.js'

const REVOKED = { orgId: 'default', createdBy: null }

t.test('a call is forwarded with the guest token of the user that authorize returns', async (t) => {
  const { call, api, upstream } = await proxyApp(t)
  const response = await call()
  t.equal(response.statusCode, 200)
  t.same(response.json(), { data: 'numbers' })
  const [forwarded] = upstream.calls
  t.match(forwarded, {
    method: 'GET',
    url: `${BASE}/api/v2/dashboard`,
    headers: { 'x-plugin-token': tokenOf('ann'), host: new URL(upstream.origin).host }
  })
  t.match(JSON.parse(api.calls[0]?.body.toString() ?? ''), {
    clientId: 'ann',
    dataAppName: 'sales',
    expiryTime: 3_600_000
  })
  t.equal(api.calls[0]?.headers.authorization, `Bearer ${API_KEY}`)
})

t.test('method, path, query and body reach the upstream byte for byte', async (t) => {
  const { upstream, listen, headers } = await proxyApp(t)
  const origin = await listen()
  const { cookie = '' } = headers()
  const target = "/a-b._~!$&'()*+,;=:@[]|/%C3%A9%20x/?q=%2e%2E&r=//..\\{}|^`\"<>'%&s=a+b%20c&?&"
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const body = `{"a": 1.0,  "${method}":"\\u00e9"}\n`
    const { statusCode } = await rawRequest(origin, [
      `${method} ${PREFIX}${target} HTTP/1.1`,
      'Host: a',
      `X-Proxy-Auth-Key: ${PROXY_KEY}`,
      `Cookie: ${cookie}`,
      'Content-Type: application/json;  charset="utf-8"',
      `Content-Length: ${body.length}`,
      'Connection: close'
    ], body)
    t.equal(statusCode, 200)
    const forwarded = upstream.calls.at(-1)
    t.match(forwarded, {
      method,
      url: BASE + target,
      headers: { 'content-type': 'application/json;  charset="utf-8"', 'content-length': String(body.length) }
    })
    t.equal(forwarded?.body.toString(), body)
  }
})

t.test('status and body of the upstream are relayed unchanged, and no call is retried', async (t) => {
  const { call, upstream } = await proxyApp(t)
  for (const status of [200, 201, 202, 206, 304, 400, 402, 403, 404, 409, 418, 429, 500, 503]) {
    upstream.answer = reply(status === 304 ? '' : `<p>${status}</p>`, status, { 'retry-after': '1' })
    for (const request of [{ method: 'GET' }, { method: 'POST', payload: 'x' }] as const) {
      const response = await call(request)
      t.equal(response.statusCode, status)
      t.equal(response.body, status === 304 ? '' : `<p>${status}</p>`)
    }
  }
  t.equal(upstream.calls.length, 28, 'each call is made once')
  upstream.answer = reply('', 204)
  t.match(await call(), { statusCode: 204, body: '' })
  upstream.answer = reply('12345', 200, { 'content-length': '5' })
  const head = await call({ method: 'HEAD' })
  t.match(head, { statusCode: 200, body: '' })
  t.equal(head.headers['content-length'], '5')
  const larger = { 'content-length': String(2 ** 40) }
  for (const [method, status] of [['HEAD', 200], ['GET', 304]] as const) {
    upstream.answer = reply('', status, larger)
    t.match(await call({ method }), { statusCode: status, headers: larger }, 'the length of the omitted body')
  }
})

t.test('binary bodies of 10 MB arrive unchanged in both directions', async (t) => {
  const { upstream, listen, headers } = await proxyApp(t)
  upstream.answer = (call, response) => {
    response.writeHead(200, { 'content-type': 'application/zip' }).end(call.body.toReversed())
  }
  const origin = await listen()
  const bytes = randomBytes(10_000_000)
  const response = await fetch(`${origin}${PREFIX}/export`, {
    method: 'POST',
    headers: { ...headers(), 'content-type': 'application/octet-stream' },
    body: bytes
  })
  t.equal(response.headers.get('content-type'), 'application/zip')
  const digest = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex')
  t.equal(digest(new Uint8Array(await response.arrayBuffer())), digest(bytes.toReversed()))
  t.equal(digest(upstream.calls[0]?.body ?? Buffer.alloc(0)), digest(bytes))
})

t.test('bodies of any content type, invalid JSON and empty bodies are forwarded', async (t) => {
  const { call, upstream } = await proxyApp(t)
  for (
    const type of ['text/csv', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded',
      'application/json']
  ) {
    t.equal(
      (await call({
        method: 'POST',
        headers: { ...KEY, cookie: 'user=ann', 'content-type': type },
        payload: '{not json'
      })).statusCode,
      200
    )
    t.equal(upstream.calls.at(-1)?.body.toString(), '{not json')
  }
  t.equal((await call({ method: 'POST', payload: '' })).statusCode, 200)
  t.equal(upstream.calls.at(-1)?.body.length, 0)
})

t.test('a call without a user is 401, a forbidden user is 403, and neither call is forwarded', async (t) => {
  const { call, api, upstream } = await proxyApp(t, {
    authorize (request) {
      const user = userOf(request)
      if (user === 'eve') throw new FORBIDDEN()
      return user === null ? null : { clientId: user }
    }
  })
  for (
    const [headers, status, code] of [[KEY, 401, 'UNAUTHORIZED'], [{ ...KEY, cookie: 'user=eve' }, 403, 'FORBIDDEN'], [{
      ...KEY,
      cookie: 'user=None'
    }, 403, 'FORBIDDEN']] as const
  ) {
    const response = await call({ headers })
    t.equal(response.statusCode, status)
    t.equal(response.json().error.code, code)
  }
  t.equal(api.connections() + upstream.connections(), 0)
})

t.test('a grant with an unknown or invalid member is refused', async (t) => {
  for (
    const grant of [{ clientId: 'ann', parms: {} }, { clientId: 'ann', tenant: '' }, {
      clientId: 'ann',
      issuedAt: Number.NaN
    }, { clientId: 'ann', params: [] }, 'ann']
  ) {
    const { call, upstream } = await proxyApp(t, { authorize: () => grant as never })
    t.ok([403, 500].includes((await call()).statusCode))
    t.equal(upstream.connections(), 0)
  }
})

t.test('parallel calls of many users each use the guest token of their user', async (t) => {
  const { call, api, upstream } = await proxyApp(t)
  upstream.answer = ({ headers }, response) => reply({ token: headers['x-plugin-token'] })({} as never, response)
  const users = Array.from({ length: 300 }, (_, at) => `user-${at % 30}`)
  const responses = await Promise.all(users.map((user) => call({ user })))
  t.same(responses.map((response) => response.json().token), users.map(tokenOf))
  t.equal(api.calls.length, 30)
})

t.test('a withdrawn permission is 403 at the next call, although the token is cached', async (t) => {
  let allowed = true
  const { call } = await proxyApp(t, {
    authorize: () => {
      if (allowed) return { clientId: 'ann' }
      throw new FORBIDDEN()
    }
  })
  t.equal((await call()).statusCode, 200)
  allowed = false
  t.equal((await call()).statusCode, 403)
})

t.test('a revoked user or tenant is refused at the next call, and a later session is accepted', async (t) => {
  let issuedAt = Date.now()
  const { app, call } = await proxyApp(t, {
    authorize: (request) => ({
      clientId: userOf(request) ?? '',
      userId: `id-${userOf(request)}`,
      tenant: 'acme',
      issuedAt
    })
  })
  t.equal((await call()).statusCode, 200)
  await app.tokenStore.revocations.revoke({ ...REVOKED, kind: 'user', subject: 'id-ann', before: issuedAt + 1 })
  t.equal((await call()).statusCode, 403)
  t.equal((await call({ user: 'bob' })).statusCode, 200)
  await app.tokenStore.revocations.revoke({ ...REVOKED, kind: 'tenant', subject: 'acme', before: issuedAt + 2 })
  t.equal((await call({ user: 'bob' })).statusCode, 403)
  issuedAt += 2
  t.equal((await call({ user: 'bob' })).statusCode, 200)
})

t.test('a token that the upstream refuses is dropped once, and the next call has a new token', async (t) => {
  const { call, api, upstream } = await proxyApp(t)
  const answer = inTurn(
    reply({ token: tokenOf('first') }),
    reply({ token: tokenOf('second') }),
    reply({ token: tokenOf('third') })
  )
  api.answer = answer
  upstream.answer = ({ headers }, response) =>
    reply({ error: { message: 'who?' } }, headers['x-plugin-token'] === tokenOf('second') ? 200 : 401)(
      {} as never,
      response
    )
  const refused = await call()
  t.equal(refused.statusCode, 401)
  t.same(refused.json(), { error: { message: 'who?' } }, 'the page receives the error of the product')
  t.equal((await call()).statusCode, 200)
  t.equal(api.calls.length, 2)
  upstream.answer = reply('no', 401)
  for (let at = 0; at < 20; at++) t.equal((await call()).statusCode, 401)
  t.equal(api.calls.length, 2, 'an upstream that refuses every token does not cause new tokens')
})

t.test('two registrations share no keys, tokens or limits', async (t) => {
  const api = await stubUpstream(t, mint)
  const [one, two] = await Promise.all([stubUpstream(t, reply('one')), stubUpstream(t, reply('two'))])
  const app = Fastify()
  t.teardown(() => app.close())
  const other = generateSecret()
  const shared = {
    apiUrl: api.origin,
    apiKey: API_KEY,
    dataAppName: 'sales',
    authorize: () => ({ clientId: 'ann' }),
    userRateLimit: { max: 1 }
  }
  await app.register(databrainProxy, { ...shared, prefix: '/a', proxyKeys: [PROXY_KEY], upstreamUrl: one.origin })
  await app.register(databrainProxy, { ...shared, prefix: '/b', proxyKeys: [other], upstreamUrl: two.origin })
  const ask = async (at: string, key: string) => {
    const { statusCode, body } = await app.inject({ url: `${at}/x`, headers: { 'x-proxy-auth-key': key } })
    return statusCode === 200 ? body : statusCode
  }
  t.same([await ask('/a', other), await ask('/b', PROXY_KEY)], [401, 401])
  t.same([await ask('/a', PROXY_KEY), await ask('/b', other)], ['one', 'two'])
  t.equal(api.calls.length, 2, 'one token per registration')
  t.same([await ask('/a', PROXY_KEY), await ask('/b', other)], [429, 429])
})

t.test('the proxy works in a host that has @fastify/reply-from, and adds one path', async (t) => {
  const { default: replyFrom } = await import('@fastify/reply-from')
  const routes: string[] = []
  const { call } = await proxyApp(t, {}, {}, async (app) => {
    app.addHook('onRoute', ({ method, url }) => {
      routes.push(`${String(method)} ${url}`)
    })
    await app.register(replyFrom, { base: 'http://127.0.0.1:9' })
  })
  t.equal((await call()).statusCode, 200)
  t.same(routes, ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => `${method} ${PREFIX}/*`))
})

t.test('no key, token or cookie is logged, also when a call fails', async (t) => {
  const log = logReader()
  const { call, api, upstream } = await proxyApp(t, { retries: 0 }, { logger: { level: 'trace', stream: log.stream } })
  const echo = `Bearer ${API_KEY} ${tokenOf('ann')} ${PROXY_KEY}`
  await call({ headers: { ...KEY, cookie: 'user=ann; session=s3cret-cookie', 'x-plugin-token': 'caller-token' } })
  upstream.answer = (_call, response) => {
    response.socket?.end(`HTTP/1.1 200 OK\r\nX-Bad: ${echo}\r\n${echo}\r\n\r\n`)
  }
  t.equal((await call()).statusCode, 502)
  api.answer = reply({ error: { code: 'CLIENT_ID_ERROR', message: echo } }, 400)
  const refused = await call({ user: 'bob' })
  t.equal(refused.statusCode, 400)
  t.match(refused.json(), { error: { code: 'CLIENT_ID_ERROR' } })
  t.notMatch(refused.body, API_KEY)
  await call({ headers: { 'x-proxy-auth-key': `${PROXY_KEY}x` } })
  await call({ url: `${PREFIX}/x?secret=in-the-query` })
  t.ok(log.lines().length > 5)
  for (const secret of [API_KEY, PROXY_KEY, tokenOf('ann'), 's3cret-cookie', 'caller-token', 'in-the-query']) {
    t.notMatch(log.text(), secret)
  }
})

const REQUIRED = { proxyKeys: [PROXY_KEY], apiKey: 'key', dataAppName: 'sales', authorize: () => null }

t.test('apiUrl and upstreamUrl accept upper case, a default port and repeated slashes', async (t) => {
  const { call, upstream } = await proxyApp(t, {
    apiUrl: 'https://API.example.com:443//',
    upstreamUrl: 'https://api.example.com/Base/'
  })
  t.equal((await call({ headers: {} })).statusCode, 401)
  const { origin } = upstream
  const other = await proxyApp(t, {
    apiUrl: `${origin.replace('http', 'HTTP')}/API/`,
    upstreamUrl: `${origin}/a/../b//`
  })
  upstream.answer = (call, response) => (call.url.endsWith('/create') ? mint : reply(call.url))(call, response)
  t.equal((await other.call()).body, '/b/api/v2/dashboard')
  t.equal(upstream.calls[0]?.url, '/API/api/v2/guest-token/create')
})

t.test('an empty prefix with "cors" in a host that has @fastify/cors is refused with the name of the ' +
  'option', async (t) => {
  const { default: cors } = await import('@fastify/cors')
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(cors)
  const registered = app.register(databrainProxy, {
    ...REQUIRED,
    prefix: '',
    cors: { origins: ['https://app.example.com'] }
  })
  await t.rejects(
    (async () => {
      await registered
      await app.ready()
    })(),
    { code: 'INVALID_OPTIONS', message: /"prefix".*"cors"/ }
  )
})

for (
  const [option, value] of Object.entries({
    uploadTimeout: 2 ** 31,
    idleTimeout: 2 ** 31,
    readTimeout: 0,
    connectTimeout: 2 ** 31,
    userConnections: 0,
    proxyKeys: [],
    authorize: undefined,
    apiKey: '',
    dataAppName: '',
    apiUrl: 'ftp://a',
    upstreamUrl: 'https://a/?b',
    bodyLimit: 0,
    maxResponse: -1,
    timeout: 1.5,
    prefix: 'a',
    connections: 0
  })
) {
  t.test(`an invalid "${option}" stops the start with an error that names the option`, async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    const registered = app.register(databrainProxy, { ...REQUIRED, [option]: value } as never)
    await t.rejects(
      (async () => {
        await registered
        await app.ready()
      })(),
      { code: 'INVALID_OPTIONS', message: new RegExp(`"${option}"`) }
    )
  })
}

t.test("a time above the maximum of Node's timers stops the start, and the maximum is accepted", async (t) => {
  const longest = 2 ** 31 - 1
  const { call } = await proxyApp(t, {
    timeout: longest,
    uploadTimeout: longest,
    idleTimeout: longest,
    readTimeout: longest,
    connectTimeout: longest
  })
  t.equal((await call()).statusCode, 200)
  await t.rejects(proxyApp(t, { timeout: longest + 1 }), {
    code: 'INVALID_OPTIONS',
    message: /"timeout".*1 to 2147483647/
  })
})
