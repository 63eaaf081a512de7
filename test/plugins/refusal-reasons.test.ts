import Fastify from 'fastify'
import type { InjectOptions } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'

import adminGuard from '../../plugins/admin-guard/index.js'
import captcha from '../../plugins/captcha/index.js'
import csrf from '../../plugins/csrf/index.js'
import errorEnvelope from '../../plugins/error-envelope.js'
import proxyKey from '../../plugins/proxy-key.js'
import rateLimit from '../../plugins/rate-limit/index.js'
import requireHttps from '../../plugins/require-https.js'
import signature from '../../plugins/signature.js'
import tokenStore from '../../plugins/token-store/index.js'
import userReference from '../../plugins/user-reference/index.js'
import { memoryStore } from '../../plugins/token-store/memory/index.js'
import { generateSecret } from '../../signing/secret-strength/index.js'
import { signUserReference } from '../../signing/user-reference.js'
import { logReader } from '../helpers/log-reader.js'

const KEYS = Array.from({ length: 5 }, () => generateSecret())
const [PROXY_KEY = '', REFERENCE_KEY = '', JWT_SECRET = '', CSRF_KEY = '', SERVER_SECRET = ''] = KEYS
const audience = 'gatehouse-embed'

async function guardedApp (t: Test) {
  const log = logReader()
  const app = Fastify({ logger: { level: 'info', stream: log.stream } })
  t.teardown(() => app.close())
  await app.register(errorEnvelope)
  await app.register(tokenStore, { store: memoryStore() })
  await app.register(requireHttps, { allowLoopback: false })
  await app.register(proxyKey, { keys: [PROXY_KEY] })
  await app.register(userReference, { keys: [REFERENCE_KEY] })
  await app.register(signature, { secrets: () => [SERVER_SECRET] })
  await app.register(csrf, { key: CSRF_KEY, sessionOf: () => 'session' })
  await app.register(captcha, { provider: 'altcha', hmacKey: CSRF_KEY })
  await app.register(rateLimit)
  await app.register(adminGuard, { jwtSecrets: [JWT_SECRET] })
  const answer = async () => 'ok'
  for (const guard of ['https', 'proxyKey', 'userReference', 'csrf', 'captcha', 'admin'] as const) {
    app.post(`/${guard}`, { config: { gatehouse: { [guard]: true } } }, answer)
  }
  app.post('/signature', { config: { gatehouse: { signature: 'required' } } }, answer)
  app.post('/limited', { config: { gatehouse: { rateLimit: { address: { max: 1, timeWindow: 60_000 } } } } }, answer)
  await app.ready()
  return { app, log }
}

const reference = (options: { key?: string, audience?: string, now?: number } = {}) =>
  signUserReference({ sub: 'SECRET' }, { key: REFERENCE_KEY, audience, ttl: 60_000, ...options })
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const by = (ref: string) => ({ 'x-user-reference': ref })

/** The guard, the headers, the code and the reason. */
const REFUSALS: ReadonlyArray<readonly [guard: string, headers: object, code: string, reason: RegExp | string]> = [
  ['https', {}, 'HTTPS_REQUIRED', 'the request arrived over HTTP; behind a proxy, set "trustProxy"'],
  ['proxyKey', {}, 'UNAUTHORIZED', 'no proxy key, or more than one'],
  ['proxyKey', bearer('SECRET'), 'UNAUTHORIZED', 'unknown proxy key'],
  ['userReference', {}, 'UNAUTHORIZED', 'no user reference'],
  ['userReference', by('SECRET'), 'UNAUTHORIZED', 'the user reference is malformed'],
  ['userReference', by(reference({ key: PROXY_KEY })), 'UNAUTHORIZED', /was changed, or signed with a key/],
  ['userReference', by(reference({ audience: 'other' })), 'UNAUTHORIZED', 'the user reference has another audience'],
  ['userReference', by(reference({ now: Date.now() - 120_000 })), 'UNAUTHORIZED', 'the user reference has expired'],
  ['userReference', by(reference({ now: Date.now() + 120_000 })), 'UNAUTHORIZED', /dated ahead of this clock/],
  ['signature', {}, 'SIGNATURE_REQUIRED', 'the route requires a signature'],
  ['signature', { 'x-signature': 'SECRET' }, 'TIMESTAMP_OUT_OF_RANGE', 'no X-Timestamp'],
  ['signature', { 'x-datafly-signature': 'SECRET' }, 'INVALID_SIGNATURE', /^X-Datafly-Signature does not match/],
  ['csrf', {}, 'CSRF_FAILED', 'no CSRF token'],
  ['csrf', { 'sec-fetch-site': 'cross-site' }, 'CSRF_FAILED', /./],
  ['captcha', {}, 'CAPTCHA_FAILED', 'no captcha token, or more than one'],
  ['captcha', { 'x-captcha-token': 'SECRET' }, 'CAPTCHA_FAILED', 'the captcha token is not a solution of a challenge'],
  ['admin', {}, 'UNAUTHORIZED', 'no Authorization header'],
  ['admin', bearer('SECRET'), 'INVALID_TOKEN', 'not a JWT that this server issues']
]

t.test('each refusal of a guard is one line with the guard, the route and the failed check, without credentials',
  async (t) => {
    const { app, log } = await guardedApp(t)
    for (const [guard, headers, code, reason] of REFUSALS) {
      const before = log.lines().length
      const request: InjectOptions = { method: 'POST', url: `/${guard}`, headers: { ...headers }, payload: {} }
      const response = await app.inject(request)
      t.equal(response.json().error?.code, code, `${guard} ${String(reason)}`)
      const lines = log.lines().slice(before).filter(({ msg }) => msg === 'request refused')
      t.match(lines, [{ code, status: response.statusCode, guard, route: `/${guard}`, reason, reqId: String }])
      t.equal(lines.length, 1)
    }
    for (const secret of ['SECRET', 'eyJ', ...KEYS]) t.notMatch(log.text(), secret)
  })

t.test('the line of a rate limit has the limit, and the line of an unknown path says that there is no such route',
  async (t) => {
    const { app, log } = await guardedApp(t)
    await app.inject({ method: 'POST', url: '/limited' })
    t.equal((await app.inject({ method: 'POST', url: '/limited' })).statusCode, 429)
    t.equal((await app.inject('/nowhere/SECRET?key=SECRET')).statusCode, 404)
    t.match(log.lines().filter(({ msg }) => msg === 'request refused'), [
      { code: 'RATE_LIMITED', guard: 'rateLimit', route: '/limited', reason: 'more than 1 requests in the time window' },
      { code: 'NOT_FOUND', reason: 'there is no such route' }
    ])
  })
