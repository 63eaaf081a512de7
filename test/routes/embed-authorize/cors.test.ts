import Fastify from 'fastify'
import t from 'tap'

import { UNAUTHORIZED } from '../../../lib/errors.js'
import { defineGuard } from '../../../lib/guard/index.js'
import userReference from '../../../plugins/user-reference/index.js'
import embedAuthorize from '../../../routes/embed-authorize/index.js'
import type { EmbedAuthorizeOptions } from '../../../routes/embed-authorize/index.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { GRANTED, SECRET, embedApp, embedQuery, injectJson, readCall } from '../../helpers/embed.js'
import { reply, stubUpstream } from '../../helpers/stub-upstream.js'

declare module 'fastify' {
  interface GatehouseRouteConfig {
    testGuard?: boolean
  }
}

const PAGE = 'https://app.example.com'
const EVIL = ['https://evil.test', 'https://app.example.com.evil.test', 'https://evil-app.example.com',
  'http://app.example.com', 'https://app.example.com:8443', 'https://app.example.com.', 'null', '',
  `${PAGE}, https://evil.test`, 'HTTPS://APP.EXAMPLE.COM']

t.test('a content type that a page can send without a preflight is 415, also with a session cookie', async (t) => {
  const { app, apiUrl, bi } = await embedApp(t)
  const body = () => JSON.stringify({ embedQuerString: embedQuery(), dashboardServerApiUrl: apiUrl })
  const types: Array<Record<string, string>> = [
    { 'content-type': 'text/plain' },
    { 'content-type': 'text/plain;charset=UTF-8' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': 'text/plain; application/json' },
    { 'content-type': 'text/plain, application/json' },
    {}
  ]
  for (const type of types) {
    const answer = await app.inject({
      method: 'POST',
      url: '/authorize',
      payload: body(),
      headers: { ...type, cookie: 'sid=1', origin: 'https://evil.test' }
    })
    t.equal(answer.statusCode, 415, JSON.stringify(type))
    t.equal(answer.json().error.code, 'UNSUPPORTED_MEDIA_TYPE')
    t.equal(answer.headers['access-control-allow-origin'], undefined)
  }
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/authorize',
    headers: { origin: 'https://evil.test', 'access-control-request-method': 'POST' }
  })
  t.equal(preflight.statusCode, 404, 'without "cors" a preflight is 404')
  t.equal(bi.connections(), 0)
})

t.test('another origin is 403 before authorize is called, and the response does not contain the origin', async (t) => {
  let asked = 0
  const { bi, post, app } = await embedApp(t, {
    cors: { origins: [PAGE] },
    authorize: () => {
      asked++
      return null
    }
  })
  for (const origin of EVIL) {
    const answer = await post(embedQuery(), {}, { origin, cookie: 'sid=1' })
    t.equal(answer.statusCode, 403, origin)
    t.equal(answer.json().error.code, 'ORIGIN_NOT_ALLOWED')
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/authorize',
      headers: { origin, 'access-control-request-method': 'POST' }
    })
    t.not(preflight.statusCode, 204, origin)
    for (const { headers } of [answer, preflight]) {
      t.equal(headers['access-control-allow-origin'], undefined, origin)
      t.equal(headers['access-control-allow-credentials'], undefined, origin)
    }
  }
  t.equal(asked, 0)
  t.equal(bi.connections(), 0)
})

t.test('every response varies by origin, and a page of an allowed origin can read every response', async (t) => {
  const { app, apiUrl, post } = await embedApp(t, {
    cors: { origins: [PAGE] },
    rateLimit: { max: 8, timeWindow: '1 minute' },
    bodyLimit: 2_000,
    authorize: (request) => request.headers['x-user'] === undefined ? null : { email: 'viewer@example.com' }
  })
  const page = { origin: PAGE, 'x-user': 'ann' }
  const used = embedQuery()
  const sent: Array<[number, () => ReturnType<typeof post>, origin?: null]> = [
    [200, () => post(used, {}, page)],
    [409, () => post(used, {}, page)],
    [400, () => post('x', {}, page)],
    [401, () => post(embedQuery(), {}, { origin: PAGE })],
    [403, () => post(embedQuery(), { dashboardServerApiUrl: 'https://bi.test' }, page)],
    [413, () => post('x'.repeat(3_000), {}, page)],
    [415,
      () =>
        app.inject({
          method: 'POST',
          url: '/authorize',
          payload: apiUrl,
          headers: { ...page, 'content-type': 'text/plain' }
        })],
    [401, () => post(embedQuery()), null],
    [429, () => post(embedQuery(), {}, page)]
  ]
  for (const [status, send, nobody] of sent) {
    const { statusCode, headers } = await send()
    t.equal(statusCode, status)
    t.match(headers.vary, /\bOrigin\b/, `${status} varies`)
    t.equal(headers['access-control-allow-origin'], nobody === null ? undefined : PAGE, `${status} is readable`)
    if (status === 429) t.ok(headers['retry-after'])
  }
})

t.test('a refusal by a guard of the host varies by origin and is readable only by an allowed origin', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(userReference, { keys: [generateSecret()] })
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: 'https://bi.test', embedSecret: SECRET }],
    authorize: () => null,
    guards: { userReference: true },
    cors: { origins: [PAGE] }
  })
  for (const [origin, granted] of [[PAGE, PAGE], ['https://evil.test', undefined]] as const) {
    const { statusCode, headers } = await app.inject({
      method: 'POST',
      url: '/authorize',
      headers: { origin, 'x-user-reference': 'forged' }
    })
    t.equal(statusCode, 401)
    t.equal(headers['access-control-allow-origin'], granted)
    t.equal(headers['access-control-allow-credentials'], granted && 'true')
    t.equal(headers['access-control-expose-headers'], granted && 'retry-after, www-authenticate, x-request-id')
    t.equal(headers.vary, 'Origin')
  }
})

t.test('a Referer does not replace the Origin, and a preflight does not allow private networks', async (t) => {
  const { app, post } = await embedApp(t, { cors: { origins: [PAGE] } })
  const answer = await post(embedQuery(), {}, { referer: `${PAGE}/x` })
  t.equal(answer.headers['access-control-allow-origin'], undefined)
  t.equal((await post(embedQuery(), {}, { referer: `${PAGE}/x`, origin: 'https://evil.test' })).statusCode, 403)
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/authorize',
    headers: {
      origin: PAGE,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
      'access-control-request-private-network': 'true'
    }
  })
  t.equal(preflight.statusCode, 204)
  t.equal(preflight.headers['access-control-allow-origin'], PAGE)
  t.match(preflight.headers['access-control-allow-methods'], /POST/)
  t.match(preflight.headers['access-control-allow-headers'], /content-type/)
  t.equal(preflight.headers['access-control-max-age'], '600')
  t.equal(preflight.headers['access-control-allow-private-network'], undefined)
})

t.test('an invalid origin in cors stops the start', async (t) => {
  for (
    const origin of ['*', 'null', '/.*/', 'https://app.example.com/', 'https://app.example.com/x',
      'javascript:alert(1)', 'app.example.com', '']
  ) {
    const app = Fastify()
    t.teardown(() => app.close())
    const options: EmbedAuthorizeOptions = {
      servers: [{ apiUrl: 'https://bi.test', embedSecret: SECRET }],
      authorize: () => null,
      cors: { origins: [origin] }
    }
    await t.rejects(async () => app.register(embedAuthorize, options), {
      code: 'INVALID_OPTIONS',
      message: /"origins"/
    }, origin)
  }
})

t.test('a guard in "guards" runs before the body is read, and its error keeps its status', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const wanted = defineGuard(app, {
    name: 'testGuard',
    accepts: (value) => typeof value === 'boolean',
    expected: 'a boolean'
  })
  app.addHook('onRequest', async (request) => {
    if (wanted(request) === true) throw new UNAUTHORIZED()
  })
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: 'https://bi.test', embedSecret: SECRET }],
    authorize: () => null,
    guards: { testGuard: true }
  })
  const answer = await app.inject({
    method: 'POST',
    url: '/authorize',
    payload: 'no JSON',
    headers: { 'content-type': 'application/json' }
  })
  t.equal(answer.statusCode, 401)
  t.equal(answer.json().error.code, 'UNAUTHORIZED')
})

t.test('a user reference selects the user if the guard is registered, and an invalid reference is 401', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const bi = await stubUpstream(t, reply(GRANTED))
  await app.register(userReference, { keys: ['0123456789abcdefghijklmnopqrstuvwxyz'] })
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: bi.origin, embedSecret: SECRET }],
    authorize: (request) => request.userReference === null ? null : { email: request.userReference.sub }
  })
  await app.ready()
  const send = (reference?: string) =>
    injectJson(
      app,
      { embedQuerString: embedQuery(), dashboardServerApiUrl: bi.origin },
      reference === undefined ? {} : { 'x-user-reference': reference }
    )
  t.equal((await send(app.userReference.sign({ sub: 'ann@example.com' }))).statusCode, 200)
  t.equal(readCall(bi.calls[0]).fields.get('embed_user_email'), 'ann@example.com')
  for (const reference of [undefined, 'forged']) {
    const answer = await send(reference)
    t.equal(answer.statusCode, 401)
    t.equal(answer.json().error.code, 'UNAUTHORIZED')
  }
  t.equal(bi.calls.length, 1)
})

t.test('two registrations in one app respond on their own paths with their own options', async (t) => {
  const { app } = await embedApp(t, { prefix: '/one', path: '/authorize', cors: { origins: [PAGE] } })
  await app.register(embedAuthorize, {
    servers: [{ apiUrl: 'https://bi.test', embedSecret: SECRET }],
    authorize: () => null,
    path: '/two',
    cors: { origins: ['https://other.test'] }
  })
  const post = (url: string, origin: string) =>
    app.inject({ method: 'POST', url, payload: '{}', headers: { 'content-type': 'application/json', origin } })
  t.equal((await post('/one/authorize', PAGE)).statusCode, 400)
  t.equal((await post('/one/authorize', 'https://other.test')).statusCode, 403)
  t.equal((await post('/two', 'https://other.test')).statusCode, 400)
  t.equal((await post('/two', PAGE)).statusCode, 403)
  t.equal((await post('/authorize', PAGE)).statusCode, 404)
})
