import Fastify from 'fastify'
import t from 'tap'

import { FORBIDDEN, UNAUTHORIZED } from '../../../../lib/errors.js'
import proxyKey from '../../../../plugins/proxy-key.js'
import userReference from '../../../../plugins/user-reference/index.js'
import guestToken, { pageConfig } from '../../../../routes/databrain/guest-token/index.js'
import type { GuestTokenGrant, GuestTokenOptions } from '../../../../routes/databrain/guest-token/index.js'
import { signUserReference } from '../../../../signing/user-reference.js'
import { API_KEY, guestTokenApp, PATH, PROXY_KEY, REFERENCE_KEY, tokenOf } from '../../../helpers/guest-token.js'

const WRONG_KEY = 'Invalid authentication key'
const NO_USER = 'User not authenticated'
const BEARER = { authorization: `Bearer ${PROXY_KEY}` }

t.test("a page gets the guest token of its user, and the request to DataBrain matches DataBrain's " +
  'documentation', async (t) => {
  const { databrain, ask } = await guestTokenApp(t)
  const response = await ask('ann')
  t.equal(response.statusCode, 200)
  t.same(response.json(), { token: tokenOf('ann') })
  const [call] = databrain.calls
  t.equal(call?.method, 'POST')
  t.equal(call?.url, '/api/v2/guest-token/create')
  t.equal(call?.headers.authorization, `Bearer ${API_KEY}`)
  t.equal(call?.headers['content-type'], 'application/json')
  t.same(JSON.parse(String(call?.body)), { clientId: 'ann', dataAppName: 'sales', expiryTime: 3_600_000 })
})

t.test('Content-Type: application/json without a body is accepted', async (t) => {
  const { ask } = await guestTokenApp(t)
  t.equal((await ask('ann', { headers: { ...BEARER, 'content-type': 'application/json' } })).statusCode, 200)
})

t.test('a missing or invalid proxy key or user is 401 with a separate message, and DataBrain is not ' +
  'called', async (t) => {
  const { app, databrain, ask } = await guestTokenApp(t)
  const reference = (more: object): string =>
    signUserReference({ sub: 'ann' }, { key: REFERENCE_KEY, audience: 'gatehouse-embed', ...more })
  const expired = reference({ now: Date.now() - 43_200_001 })
  const ofOther = reference({ key: `${REFERENCE_KEY}x` })
  const requests: Array<[message: string, response: ReturnType<typeof ask>]> = [
    [WRONG_KEY, ask('ann', { headers: {} })],
    [WRONG_KEY, ask('ann', { headers: { authorization: 'Bearer nonsense' } })],
    [WRONG_KEY, app.inject({ url: PATH })],
    [NO_USER, ask('ann', { url: PATH })],
    [NO_USER, ask('ann', { url: `${PATH}?ref=` })],
    [NO_USER, ask('ann', { url: `${PATH}?ref=${expired}` })],
    [NO_USER, ask('ann', { url: `${PATH}?ref=${ofOther}` })],
    [NO_USER, ask('ann', { url: `${PATH}?userId=ann&clientId=ann&ref=ann` })],
    [NO_USER, app.inject({ url: PATH, headers: { ...BEARER, cookie: 'user=ann', 'x-user-id': 'ann' } })]
  ]
  for (const [message, asked] of requests) {
    const response = await asked
    t.equal(response.statusCode, 401)
    t.same(response.json(), { error: { code: 'UNAUTHORIZED', message } })
  }
  t.equal(databrain.connections(), 0)
})

t.test('no response is cacheable or readable by another origin', async (t) => {
  const { ask } = await guestTokenApp(t)
  for (const headers of [BEARER, { ...BEARER, origin: 'https://evil.test' }, {}, { origin: 'https://evil.test' }]) {
    const response = await ask('ann', { headers })
    t.equal(response.headers['cache-control'], 'no-store')
    t.same(Object.keys(response.headers).filter((name) => name.startsWith('access-control')), [])
  }
  const preflight = await ask('ann', {
    method: 'OPTIONS',
    headers: { origin: 'https://evil.test', 'access-control-request-method': 'GET' }
  })
  t.notOk(preflight.headers['access-control-allow-origin'])
})

t.test('HEAD and POST issue no token', async (t) => {
  const { databrain, ask } = await guestTokenApp(t)
  for (const method of ['HEAD', 'POST'] as const) t.equal((await ask('ann', { method })).statusCode, 404, method)
  t.equal(databrain.connections(), 0)
})

t.test('the user and the rights of the token come from the host, and parameters of the request change ' +
  'nothing', async (t) => {
  const grant: GuestTokenGrant = {
    clientId: 'tenant-7',
    params: { appFilters: [{ name: 'country' }] },
    permissions: { isShowSideBar: false },
    dataAppName: 'ops',
    expiryTime: 600_000
  }
  const { databrain, ask } = await guestTokenApp(t, { authorize: () => grant })
  const url = `${PATH}?clientId=root&params[x]=1&permissions={"all":true}&dataAppName=secret&expiryTime=1`
  t.same((await ask('ann', { url })).json(), { token: tokenOf('tenant-7') })
  t.same(JSON.parse(String(databrain.calls[0]?.body)), grant)
})

t.test('authorize of the host receives the user reference of the request', async (t) => {
  const { ask } = await guestTokenApp(t, {
    authorize: ({ userReference }) => ({ clientId: userReference?.sub ?? 'visitor' })
  })
  t.same((await ask('ann')).json(), { token: tokenOf('ann') })
  t.same((await ask('ann', { url: PATH })).json(), { token: tokenOf('visitor') })
  t.equal((await ask('ann', { url: `${PATH}?ref=forged` })).statusCode, 401)
})

t.test('a result or error of authorize becomes 401, 403 or 500, and its message stays secret', async (t) => {
  const cases: Array<[string, () => unknown, number, string]> = [
    ['null', () => null, 401, 'UNAUTHORIZED'],
    ['undefined', () => {}, 401, 'UNAUTHORIZED'],
    ['a rejected UNAUTHORIZED', async () => {
      throw new UNAUTHORIZED()
    }, 401, 'UNAUTHORIZED'],
    ['FORBIDDEN', () => {
      throw new FORBIDDEN()
    }, 403, 'FORBIDDEN'],
    ['an error with status 403', () => {
      throw Object.assign(new Error('s3cret reason'), { statusCode: 403 })
    }, 403, 'FORBIDDEN'],
    ['an error with status 418', () => {
      throw Object.assign(new Error('s3cret reason'), { statusCode: 418 })
    }, 500, 'INTERNAL_ERROR'],
    ['any error', async () => {
      throw new Error('s3cret reason')
    }, 500, 'INTERNAL_ERROR'],
    ['nonsense', () => ({ clientId: 'ann', params: 'all' }), 500, 'INTERNAL_ERROR'],
    ['a misspelt filter', () => ({ clientId: 'ann', param: { country: 'FR' } }),
      500, 'INTERNAL_ERROR'],
    ['an expiry time of 0', () => ({ clientId: 'ann', expiryTime: 0 }), 500, 'INTERNAL_ERROR']
  ]
  for (const [name, authorize, status, code] of cases) {
    const { databrain, ask } = await guestTokenApp(t, {
      authorize: authorize as NonNullable<GuestTokenOptions['authorize']>
    })
    const response = await ask('ann')
    t.equal(response.statusCode, status, name)
    t.equal(response.json().error.code, code, name)
    t.notMatch(response.body, 's3cret')
    t.equal(databrain.connections(), 0)
  }
})

t.test('a client id that could escape from a row policy is 403, unless allowClientId accepts the id', async (t) => {
  const bad = ['', ' ', 'None', ' None', 'a\u2019b', 'a\u02bcb', 'a\uff07b', 'a'.repeat(257), "a'b", 'a"b', 'a`b',
    'a;b', 'a\\b', 'a\0b', 'a\nb', 'a\u007fb', 'a\u0085b', 7, null, ['a'], { a: 1 }, true]
  for (const id of bad) {
    const refused = await guestTokenApp(t, { authorize: () => ({ clientId: id as string }) })
    const response = await refused.ask('ann')
    t.equal(response.statusCode, 403, JSON.stringify(id))
    t.equal(response.json().error.code, 'FORBIDDEN')
    t.equal(refused.databrain.connections(), 0)
    const allowed = await guestTokenApp(t, {
      authorize: () => ({ clientId: id as string }),
      allowClientId: (text) => text === id
    })
    t.equal((await allowed.ask('ann')).statusCode, typeof id === 'string' ? 200 : 403)
  }
  const { ask } = await guestTokenApp(t)
  for (const id of ['ann', 'none', 'a'.repeat(256), 'ann@example.com', 'Ünal 7/8 (a,b)']) {
    t.equal((await ask(id)).statusCode, 200, id)
  }
})

t.test('any string reaches DataBrain unchanged', async (t) => {
  let text = ''
  const { databrain, ask } = await guestTokenApp(t, {
    authorize: () => ({ clientId: text, params: { appFilters: [{ values: text }], [text]: text } }),
    allowClientId: () => true
  })
  const naughty = [
    "'; DROP TABLE users; --",
    '"},"permissions":{"all":true},"x":{"y":"',
    '\ud800',
    '\udfff\ud800',
    '\u0000',
    '\u2028\u2029',
    '\ufeff',
    '#{7*7}',
    '{{7*7}}',
    '%00',
    '../../etc/passwd',
    '<script>alert(1)</script>',
    '🏳️‍🌈',
    'Ω≈ç√∫˜µ',
    '\r\nX-Evil: 1',
    '__proto__',
    'constructor',
    '\\',
    '"',
    '1e1000',
    'NaN',
    'null',
    'x'.repeat(10_000)
  ]
  for (text of naughty) {
    t.equal((await ask('ann')).statusCode, 200)
    const sent = JSON.parse(String(databrain.calls.at(-1)?.body))
    t.equal(sent.clientId, text)
    t.equal(sent.params.appFilters[0].values, text)
    t.notOk('permissions' in sent)
  }
})

t.test('the path of apiUrl is kept for a self-hosted DataBrain', async (t) => {
  const { databrain } = await guestTokenApp(t)
  const { ask } = await guestTokenApp(t, { apiUrl: `${databrain.origin}/analytics/` })
  t.equal((await ask('ann')).statusCode, 200)
  t.equal(databrain.calls[0]?.url, '/analytics/api/v2/guest-token/create')
})

t.test('guards of the host protect the route if it has no keys, and prefix and path set its URL', async (t) => {
  const { ask, app } = await guestTokenApp(
    t,
    { prefix: '/embed', path: '/token', userReferenceKeys: undefined, proxyKeys: undefined } as object,
    {},
    async (app) => {
      await app.register(proxyKey, { keys: [PROXY_KEY] })
      await app.register(userReference, { keys: [REFERENCE_KEY] })
    }
  )
  const ref = app.userReference.sign({ sub: 'ann' })
  t.equal((await ask('ann', { url: `/embed/token?ref=${ref}` })).statusCode, 200)
  t.equal((await ask('ann', { url: `/embed/token?ref=${ref}`, headers: {} })).statusCode, 401)
  t.equal((await ask('ann')).statusCode, 404)
})

t.test('pageConfig returns window.dbn with all the properties that DataBrain requires', async (t) => {
  const config = {
    url: 'https://app.example.com/api/databrain/guest-token?x=1',
    proxyKey: PROXY_KEY,
    reference: 'v1.a-b_c.d'
  }
  t.same(pageConfig(config), {
    baseUrl: 'https://app.usedatabrain.com',
    proxyAuthUrl: 'https://app.example.com/api/databrain/guest-token?x=1&ref=v1.a-b_c.d',
    proxyAuthKey: PROXY_KEY,
    isEnableProxyAuth: true
  })
  for (const baseUrl of ['https://bi.example.com', 'https://bi.example.com/']) {
    t.equal(pageConfig({ ...config, baseUrl }).baseUrl, 'https://bi.example.com')
  }
  for (const baseUrl of ['', 'bi.example.com', 'javascript:alert(1)']) {
    t.throws(() => pageConfig({ ...config, baseUrl }), TypeError)
  }
  t.equal(guestToken.pageConfig, pageConfig)
  for (const url of ['/api', 'javascript:alert(1)', '']) t.throws(() => pageConfig({ ...config, url }), TypeError)
  t.throws(() => pageConfig({ ...config, reference: '' }), TypeError)
  t.throws(() => pageConfig({ ...config, proxyKey: '' }), TypeError)
})

t.test('invalid options stop the start with the name of the option and without any secret', async (t) => {
  const good = { proxyKeys: [PROXY_KEY], userReferenceKeys: [REFERENCE_KEY], apiKey: API_KEY, dataAppName: 'sales' }
  const bad: Record<string, unknown[]> = {
    proxyKeys: [undefined, [], ['short-sh0rt']],
    keys: [],
    apiKey: [undefined, '', 'a b', 'k3y\n', 7],
    apiUrl: ['api.example.com', 'ftp://a.test', 'https://u:p@a.test', 'https://a.test/?x=1'],
    dataAppName: [undefined, '', 7],
    authorize: ['ann'],
    userReferenceKeys: [undefined, ['short-sh0rt'], []],
    errorStatus: ['502'],
    expiryTime: [0, -1, 1.5, '3600000', NaN],
    refreshAhead: [-0.1, 1, NaN],
    cache: ['no'],
    path: ['guest-token'],
    guards: [5],
    userRateLimit: [true, { max: '10' }],
    rateLimit: [{ timeWindow: 'soon' }],
    timeout: [0]
  }
  for (const [option, values] of Object.entries(bad)) {
    for (const value of values) {
      const app = Fastify()
      const error = await app.register(guestToken, { ...good, [option]: value } as unknown as GuestTokenOptions).ready()
        .then(() => null, (error: Error & { code: string }) => error)
      t.equal(error?.code, 'INVALID_OPTIONS', `${option}: ${JSON.stringify(value)}`)
      t.match(error?.message, /^(guest-token|guestToken|upstream-client|rate-limit): /)
      if (['proxyKeys', 'userReferenceKeys'].includes(option)) t.match(error?.message, `"${option}"`)
      t.notMatch(error?.message, /k3y|sh0rt|dbn_live/)
      await app.close()
    }
  }
})
