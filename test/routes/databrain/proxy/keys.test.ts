import { setTimeout as sleep } from 'node:timers/promises'

import t from 'tap'

import { sha256Hex } from '../../../../signing/digest.js'
import { generateSecret } from '../../../../signing/secret-strength/index.js'
import { auditEntries } from '../../../helpers/audit-entries.js'
import { KEY, PREFIX, proxyApp } from '../../../helpers/databrain-proxy.js'
import { PROXY_KEY, tokenOf } from '../../../helpers/guest-token.js'
import { rawRequest } from '../../../helpers/raw-socket.js'
import { stopClock } from '../../../helpers/stopped-clock.js'
import { reply } from '../../../helpers/stub-upstream.js'

const COOKIE = { cookie: 'user=ann' }

t.test('a call without the key is 401 in the error envelope, and no upstream is called', async (t) => {
  const { call, api, upstream } = await proxyApp(t)
  const response = await call({ headers: COOKIE })
  t.equal(response.statusCode, 401)
  t.match(response.json(), { error: { code: 'UNAUTHORIZED', message: String } })
  t.equal(response.headers['cache-control'], 'no-store')
  t.equal(api.connections() + upstream.connections(), 0)
})

t.test('a wrong key of any length is 401', async (t) => {
  const { call, upstream } = await proxyApp(t)
  const wrong = [
    `${PROXY_KEY.slice(0, -1)}q`,
    'x',
    '',
    `${PROXY_KEY}p`,
    PROXY_KEY.slice(0, 20),
    PROXY_KEY.toUpperCase(),
    'k'.repeat(15_000),
    '\xe9'.repeat(PROXY_KEY.length),
    ` ${PROXY_KEY}x`
  ]
  for (const key of wrong) {
    t.equal((await call({ headers: { ...COOKIE, 'x-proxy-auth-key': key } })).statusCode, 401, key.slice(0, 40))
  }
  t.equal(upstream.connections(), 0)
})

t.test('the key is valid only in its header and only unchanged', async (t) => {
  const { call, upstream } = await proxyApp(t)
  const elsewhere = [
    { authorization: `Bearer ${PROXY_KEY}` },
    { 'x-api-key': PROXY_KEY },
    { 'x-plugin-token': PROXY_KEY },
    { cookie: `user=ann; x-proxy-auth-key=${PROXY_KEY}` },
    { 'x-proxy-auth-key': `Bearer ${PROXY_KEY}` },
    { 'x-proxy-auth-key': `${PROXY_KEY}, ${PROXY_KEY}` },
    { 'x-proxy-auth-key': `"${PROXY_KEY}"` }
  ]
  for (const headers of elsewhere) {
    t.equal((await call({ headers: { ...COOKIE, ...headers } })).statusCode, 401, Object.keys(headers).join())
  }
  t.equal(
    (await call({ headers: COOKIE, url: `${PREFIX}/x?x-proxy-auth-key=${PROXY_KEY}&key=${PROXY_KEY}` })).statusCode,
    401
  )
  t.equal(upstream.connections(), 0)
})

t.test('two key headers are 401, also when one of them is valid', async (t) => {
  const { listen, upstream } = await proxyApp(t)
  const origin = await listen()
  for (const keys of [[PROXY_KEY, 'bad'], ['bad', PROXY_KEY], [PROXY_KEY, PROXY_KEY], [PROXY_KEY, '']]) {
    const { statusCode } = await rawRequest(origin, [
      `GET ${PREFIX}/x HTTP/1.1`,
      'Host: a',
      'Cookie: user=ann',
      'Connection: close',
      ...keys.map((key) => `X-Proxy-Auth-Key: ${key}`)
    ])
    t.equal(statusCode, 401, keys.join())
  }
  t.equal(upstream.connections(), 0)
})

t.test('both keys are valid during a rotation, and the old key is refused once secretMaxAge has passed', async (t) => {
  const next = generateSecret()
  let keys = [PROXY_KEY]
  const clock = stopClock(t)
  const { call } = await proxyApp(t, { proxyKeys: async () => keys, secretMaxAge: 200 })
  const ask = async (key: string): Promise<number> =>
    (await call({ headers: { ...COOKIE, 'x-proxy-auth-key': key } })).statusCode
  t.same([await ask(PROXY_KEY), await ask(next)], [200, 401])
  keys = [next, PROXY_KEY]
  clock.advance(200)
  t.same([await ask(PROXY_KEY), await ask(next)], [200, 200])
  keys = [next]
  clock.advance(199)
  t.same([await ask(PROXY_KEY), await ask(next)], [200, 200])
  clock.advance(1)
  t.same([await ask(next), await ask(PROXY_KEY), await ask(next)], [200, 401, 200])
})

t.test('apiKey is a function, and a changed key mints a new token', async (t) => {
  let apiKey = 'first-api-key'
  const { call, api } = await proxyApp(t, { apiKey: () => apiKey, secretMaxAge: 100 })
  await call()
  apiKey = 'second-api-key'
  await sleep(150)
  await call()
  t.same(api.calls.map(({ headers }) => headers.authorization), ['Bearer first-api-key', 'Bearer second-api-key'])
})

t.test('a user above the limit gets 429 with Retry-After, and another user of the same address gets 200', async (t) => {
  const { call, upstream } = await proxyApp(t, { userRateLimit: { max: 2, timeWindow: '1 minute' } })
  t.same([(await call()).statusCode, (await call()).statusCode], [200, 200])
  const limited = await call()
  t.equal(limited.statusCode, 429)
  t.match(limited.json(), { error: { code: 'RATE_LIMITED' } })
  t.ok(Number(limited.headers['retry-after']) > 0)
  t.equal((await call({ user: 'bob' })).statusCode, 200)
  t.equal(upstream.calls.length, 3)
})

t.test('wrong keys are limited per address, and X-Forwarded-For does not change the address', async (t) => {
  const { call } = await proxyApp(t, { rateLimit: { max: 3, timeWindow: '1 minute' } })
  const statuses = []
  for (let at = 0; at < 6; at++) {
    statuses.push(
      (await call({ headers: { ...COOKIE, 'x-proxy-auth-key': `${at}`, 'x-forwarded-for': `10.0.0.${at}` } }))
        .statusCode
    )
  }
  t.same(statuses, [401, 401, 401, 429, 429, 429])
  t.equal((await call()).statusCode, 429, 'the right key is limited too')
  t.equal((await call({ remoteAddress: '10.1.1.1' })).statusCode, 200)
})

t.test('the default limit is 600 calls per minute and user', async (t) => {
  const { call } = await proxyApp(t, { userRateLimit: undefined } as object)
  t.equal((await call()).headers['ratelimit-limit'], '600')
})

t.test('forwarded calls are audited once per token and address, with their number', async (t) => {
  const clock = { time: Date.now() }
  const { app, call } = await proxyApp(t, { now: () => clock.time, expiryTime: 36_000_000 })
  for (let at = 0; at < 10; at++) await call()
  await call({ remoteAddress: '10.1.1.1' })
  clock.time += 900_000
  await call()
  const entries = await auditEntries(app, 3)
  t.equal(entries.length, 3)
  t.match(entries[0], {
    action: 'databrain_proxy.forwarded',
    userId: 'ann',
    resourceType: 'guest_token',
    resourceId: sha256Hex(tokenOf('ann')).slice(0, 16),
    ipAddress: '127.0.0.1',
    changes: {
      cached: false,
      requests: 1,
      outcome: 'granted',
      proxyKey: sha256Hex(PROXY_KEY).slice(0, 8),
      clientId: 'ann',
      dataAppName: 'sales'
    }
  })
  t.match(entries[1], { ipAddress: '10.1.1.1', changes: { cached: true, requests: 1 } })
  t.match(entries[2], { ipAddress: '127.0.0.1', changes: { requests: 10 } })
  t.notMatch(JSON.stringify(entries), new RegExp(`${tokenOf('ann')}|${PROXY_KEY}`))
})

t.test('the number of calls that is not audited yet is written when the app closes', async (t) => {
  const { app, call } = await proxyApp(t)
  for (let at = 0; at < 4; at++) await call()
  const { audit } = app.tokenStore
  let written: unknown[] = []
  const append = audit.append.bind(audit)
  audit.append = async (entries) => {
    written = [...written, ...entries]
    return append(entries)
  }
  await app.close()
  t.match(written, [{ action: 'databrain_proxy.forwarded', userId: 'ann', changes: { requests: 3 } }])
})

t.test('each refusal is audited with its reason and, if known, its user', async (t) => {
  const { app, api, upstream, call } = await proxyApp(t, { retries: 0, userRateLimit: { max: 2 } })
  const expected: Array<[string | null, string]> = []
  await call({ headers: COOKIE })
  expected.push([null, 'UNAUTHORIZED'])
  upstream.answer = reply('', 302, { location: 'https://a/' })
  await call({ user: 'bob' })
  expected.push(['bob', 'UPSTREAM_ERROR'])
  api.answer = reply('no', 500)
  await call({ user: 'dan' })
  expected.push(['dan', 'UPSTREAM_ERROR'])
  await call({ headers: KEY, remoteAddress: '10.1.1.2' })
  expected.push([null, 'UNAUTHORIZED'])
  await call({ headers: { ...KEY, cookie: 'user=None' }, remoteAddress: '10.1.1.3' })
  expected.push([null, 'FORBIDDEN'])
  await call({ user: 'bob' })
  await call({ user: 'bob' })
  const entries = await auditEntries(app, expected.length)
  t.same(new Set(entries.map(({ action }) => action)), new Set(['databrain_proxy.refused']))
  t.same(entries.map(({ userId, changes }) => [userId, changes?.outcome]), expected, 'repeats are counted, not listed')
})
