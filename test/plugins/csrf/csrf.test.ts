import Fastify from 'fastify'
import type { FastifyInstance, HTTPMethods } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import csrf from '../../../plugins/csrf/index.js'
import type { CsrfOptions } from '../../../plugins/csrf/index.js'
import { FORBIDDEN } from '../../../lib/errors.js'
import { generateSecret } from '../../../signing/secret-strength/index.js'
import { logReader } from '../../helpers/log-reader.js'

const KEY = 'csrf-k3y-0123456789-abcdefghijklmnopqrst'
const OWN = { 'sec-fetch-site': 'same-origin' }
/** The session is the value of a header here, instead of a session cookie. */
const sessionOf: CsrfOptions['sessionOf'] = ({ headers: { 'x-session': session } }) =>
  (session as string | undefined) ?? null

/** An app whose `/x` is guarded and whose `/token` issues tokens. */
async function guarded (
  t: Test,
  options: Partial<CsrfOptions> = {},
  before: (app: FastifyInstance) => unknown = () => {}
) {
  const log = logReader()
  const app = Fastify({ logger: { level: 'trace', stream: log.stream } })
  t.teardown(() => app.close())
  await before(app)
  await app.register(csrf, { key: KEY, sessionOf, tokenPath: '/token', ...options })
  app.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/x',
    config: { gatehouse: { csrf: true } },
    handler: async () => ({ ok: true })
  })
  app.get('/free', async () => ({ ok: true }))
  return { app, log }
}

type Headers = Record<string, string>

/** A token of the session with its cookie, as the headers of a page's request. */
async function pageOf (app: FastifyInstance, session?: string, url = '/token'): Promise<Headers> {
  const named: Headers = session === undefined ? {} : { 'x-session': session }
  const { cookies, body } = await app.inject({ url, headers: { ...OWN, ...named } })
  const [cookie] = cookies
  return { ...OWN, ...named, 'x-csrf-token': JSON.parse(body).token, cookie: `${cookie?.name}=${cookie?.value}` }
}

async function send (
  app: FastifyInstance,
  headers: Headers,
  method: HTTPMethods = 'POST',
  url = '/x'
): Promise<string> {
  const response = await app.inject({ method: method as 'GET', url, headers })
  return response.statusCode === 200 ? 'passes' : `${response.statusCode} ${response.json().error.code}`
}

const without = (headers: Headers, ...names: string[]): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))

t.test("a token of the page's session passes with its cookie, any number of times", async (t) => {
  const { app } = await guarded(t)
  const page = await pageOf(app, 'ann')
  for (const method of ['POST', 'GET', 'DELETE', 'POST'] as const) {
    t.equal(await send(app, page, method), 'passes', method)
  }
})

t.test('a missing or wrong token or cookie is 403, also for a guarded GET', async (t) => {
  const { app } = await guarded(t)
  const page = await pageOf(app, 'ann')
  const other = await pageOf(app, 'ann')
  const { 'x-csrf-token': token = '', cookie = '' } = page
  const wrong: Record<string, Headers> = {
    nothing: { ...OWN, 'x-session': 'ann' },
    'no token': without(page, 'x-csrf-token'),
    'no cookie': without(page, 'cookie'),
    'an empty cookie': { ...page, cookie: 'gatehouse_csrf=' },
    'the cookie of another page': { ...page, cookie: other.cookie ?? '' },
    'the token of another page': { ...page, 'x-csrf-token': other['x-csrf-token'] ?? '' },
    "the cookie's value as the token": { ...page, 'x-csrf-token': cookie.split('=')[1] ?? '' },
    'a token and more': { ...page, 'x-csrf-token': `${token}x` },
    'a token twice': { ...page, 'x-csrf-token': `${token}, ${token}` },
    'half a token': { ...page, 'x-csrf-token': token.slice(0, 50) },
    'a long token': { ...page, 'x-csrf-token': 'a-'.repeat(4_000) },
    'other headers': {
      ...without(page, 'x-csrf-token'),
      'csrf-token': token,
      'xsrf-token': token,
      'x-xsrf-token': token
    },
    'the referer and the token in the query': { ...without(page, 'x-csrf-token'), referer: 'http://localhost/x' }
  }
  for (const [what, headers] of Object.entries(wrong)) {
    for (const method of ['POST', 'GET'] as const) {
      t.equal(await send(app, headers, method, `/x?_csrf=${token}`), '403 CSRF_FAILED', `${what}, ${method}`)
    }
  }
  const response = await app.inject({
    method: 'POST',
    url: '/x',
    headers: without(page, 'x-csrf-token'),
    payload: { _csrf: token }
  })
  t.equal(response.statusCode, 403, 'the body')
  t.equal(response.headers['cache-control'], 'no-store')
  t.equal(await send(app, {}, 'GET', '/free'), 'passes')
})

t.test('a token is accepted only in its own session, and a token from before a login is refused ' +
  'after it', async (t) => {
  const { app } = await guarded(t)
  const pages: Record<string, Headers> = {
    ann: await pageOf(app, 'ann'),
    bob: await pageOf(app, 'bob'),
    nobody: await pageOf(app),
    none: await pageOf(app, 'none')
  }
  for (const [of, page] of Object.entries(pages)) {
    for (const as of Object.keys(pages)) {
      const headers: Headers = as === 'nobody' ? without(page, 'x-session') : { ...page, 'x-session': as }
      t.equal(await send(app, headers), as === of ? 'passes' : '403 CSRF_FAILED', `${of}'s as ${as}`)
    }
  }
})

t.test("an attacker's cookie in the visitor's browser does not make the attacker's token valid", async (t) => {
  const { app } = await guarded(t)
  const attacker = await pageOf(app, 'eve')
  t.equal(await send(app, { ...attacker, 'x-session': 'ann' }), '403 CSRF_FAILED')
  const planted = await app.inject({
    url: '/token',
    headers: { ...OWN, 'x-session': 'ann', cookie: attacker.cookie ?? '' }
  })
  t.same(planted.cookies, [], 'an existing cookie is kept')
  t.not(planted.json().token, attacker['x-csrf-token'])
  t.equal(await send(app, { ...attacker, 'x-session': 'ann', 'x-csrf-token': planted.json().token }), 'passes')
})

t.test('a request with a session and a simple content type is refused without a token', async (t) => {
  const { app } = await guarded(t)
  app.addContentTypeParser('*', (_request, _body, done) => done(null))
  const page = await pageOf(app, 'ann')
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=a']) {
    for (const site of [{}, { 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example.com' }]) {
      const headers = { ...without(page, 'x-csrf-token', 'sec-fetch-site'), ...site, 'content-type': type }
      const response = await app.inject({ method: 'POST', url: '/x', headers, payload: '{"a":1}' })
      t.equal(response.json().error.code, 'CSRF_FAILED', `${type} ${JSON.stringify(site)}`)
    }
  }
})

t.test('a token is refused after its ttl and under another key', async (t) => {
  const { app } = await guarded(t, { ttl: 1_000 })
  const page = await pageOf(app, 'ann')
  const { now } = Date
  Date.now = () => now() + 1_001
  const late = await send(app, page).finally(() => {
    Date.now = now
  })
  t.equal(late, '403 CSRF_FAILED')
  const { app: other } = await guarded(t, { key: generateSecret() })
  const theirs = await pageOf(other, 'ann')
  t.equal(await send(other, theirs), 'passes')
  t.equal(await send((await guarded(t)).app, theirs), '403 CSRF_FAILED')
})

t.test('the cookie is host-only and HttpOnly, and the response with a token is not cached', async (t) => {
  const { app } = await guarded(t)
  const plain = await app.inject({ url: '/token', headers: OWN })
  t.equal(plain.headers['cache-control'], 'no-store')
  t.match(plain.headers['set-cookie'], /^gatehouse_csrf=[\w-]{24}; Path=\/; HttpOnly; SameSite=Lax$/)
  const { app: framed } = await guarded(t, { cookie: { name: '__Host-csrf', sameSite: 'none', secure: true } })
  t.match(
    (await framed.inject({ url: '/token', headers: OWN })).headers['set-cookie'],
    /^__Host-csrf=[\w-]{24}; Path=\/; HttpOnly; Secure; SameSite=None$/
  )
  const trusting = Fastify({ trustProxy: true })
  t.teardown(() => trusting.close())
  await trusting.register(csrf, { key: KEY, sessionOf, tokenPath: '/token' })
  t.match(
    (await trusting.inject({ url: '/token', headers: { 'x-forwarded-proto': 'https' } })).headers['set-cookie'],
    '; Secure'
  )
})

t.test("csrf.token() issues tokens on a host's own route, and two tokens in one response share " +
  'one cookie', async (t) => {
  const { app } = await guarded(t)
  app.get(
    '/page',
    async (request, reply) => ({
      token: await app.csrf.token(request, reply),
      other: await app.csrf.token(request, reply)
    })
  )
  const response = await app.inject({ url: '/page', headers: { 'x-session': 'ann' } })
  t.equal(response.cookies.length, 1)
  const { token, other } = response.json()
  t.not(token, other)
  const cookie = `gatehouse_csrf=${response.cookies[0]?.value}`
  for (const each of [token, other]) {
    t.equal(await send(app, { ...OWN, 'x-session': 'ann', cookie, 'x-csrf-token': each }), 'passes')
  }
})

t.test('requests are refused if "sessionOf" fails or returns an invalid session', async (t) => {
  const cases: Array<[CsrfOptions['sessionOf'], string]> = [
    [() => {
      throw new Error('canary')
    }, '500 INTERNAL_ERROR'],
    [async () => {
      throw new Error('canary')
    }, '500 INTERNAL_ERROR'],
    [() => '', '500 INTERNAL_ERROR'],
    [() => 1 as unknown as string, '500 INTERNAL_ERROR'],
    [() => {
      throw new FORBIDDEN()
    }, '403 FORBIDDEN'],
    [async () => undefined as unknown as null, '500 INTERNAL_ERROR']
  ]
  const page = await pageOf((await guarded(t)).app, 'ann')
  for (const [sessionOf, outcome] of cases) {
    const { app } = await guarded(t, { sessionOf })
    t.equal(await send(app, page), outcome, String(sessionOf))
  }
})

t.test('neither a token, nor its cookie, nor the key is logged', async (t) => {
  const { app, log } = await guarded(t)
  const page = await pageOf(app, 'ann')
  await send(app, page)
  await send(app, { ...page, 'x-session': 'bob' })
  t.match(log.text(), /the CSRF token is not valid for this session/)
  for (const secret of [KEY, page['x-csrf-token'] ?? '?', (page.cookie ?? '?').split('=')[1] ?? '?']) {
    t.notOk(log.text().includes(secret))
  }
})

t.test('invalid options stop the start with an error that names them', async (t) => {
  const bad: Array<[string, object]> = [
    ['key', { key: undefined }],
    ['key', { key: 'short' }],
    ['key', { key: () => 'a'.repeat(40) }],
    ['sessionOf', { sessionOf: undefined }],
    ['global', { global: 'reads' }],
    ['origins', { origins: ['example.com'] }],
    ['origins', { origins: ['https://a.example.com/'] }],
    ['origins', { origins: ['null'] }],
    ['origins', { origins: '*' }],
    ['ttl', { ttl: 0 }],
    ['ttl', { ttl: 900 }],
    ['tokenPath', { tokenPath: 'token' }],
    ['allowSameSite', { allowSameSite: 1 }],
    ['cookie.name', { cookie: { name: 'a b' } }],
    ['cookie.sameSite', { cookie: { sameSite: 'x' } }],
    ['cookie.secure', { cookie: { sameSite: 'none', secure: false } }],
    ['cookie.secure', { cookie: { name: '__Host-a' } }],
    ['cookie', { cookie: { name: '__Host-a', secure: true, domain: 'example.com' } }],
    ['cookie.path', { cookie: { path: 'x' } }],
    ['rate-limit', { rateLimit: 5 }],
    ['cookie.path', { cookie: { path: '/a;b' } }],
    ['cookie.path', { cookie: { path: '/\u00e9' } }],
    ['cookie.domain', { cookie: { domain: 'a b;c' } }],
    ['cookie.domain', { cookie: { domain: '' } }],
    ['cookie.domain', { cookie: { domain: 'localhost:3000' } }],
    ['cookie', { cookie: 'x' }],
    ['cookie.sameSIte', { cookie: { sameSIte: 'lax' } }],
    ['orgins', { orgins: [] }],
    ['globall', { globall: true }],
    ['tokenpath', { tokenpath: '/t' }],
    ['origins', { origins: ['https://*.example.com'] }],
    ['origins', { origins: ['ftp://example.com'] }],
    ['origins', { origins: ['file://'] }],
    ['xn--bcher-kva', { origins: ['https://bücher.example'] }]
  ]
  for (const [name, options] of bad) {
    const app = Fastify()
    const error = await app.register(csrf, { key: KEY, sessionOf, tokenPath: '/token', ...options } as CsrfOptions)
      .ready().then(() => null, (error: Error & { code: string }) => error)
    t.equal(error?.code, 'INVALID_OPTIONS', JSON.stringify(options))
    t.match(error?.message, name)
    await app.close()
  }
})
