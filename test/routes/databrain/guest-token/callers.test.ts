import t from 'tap'

import { FORBIDDEN } from '../../../../lib/errors.js'
import { guestTokenApp, PATH, PROXY_KEY } from '../../../helpers/guest-token.js'
import { NAUGHTY } from '../../../helpers/naughty-strings.js'
import { rawRequest } from '../../../helpers/raw-socket.js'
import { reply } from '../../../helpers/stub-upstream.js'

const BEARER = { authorization: `Bearer ${PROXY_KEY}` }
const READABLE = ['access-control-allow-origin', 'access-control-allow-credentials',
  'access-control-allow-private-network', 'access-control-expose-headers']

t.test('a wrong key, or the key in another place or form, is 401 without a call to DataBrain', async (t) => {
  const { databrain, ask } = await guestTokenApp(t)
  const values = [
    'x'.repeat(PROXY_KEY.length),
    'x',
    '',
    `${PROXY_KEY}x`,
    PROXY_KEY.slice(0, -1),
    'x'.repeat(15_000),
    'é'.repeat(PROXY_KEY.length)
  ].map((key) => `Bearer ${key}`)
  const forms = [`Basic ${Buffer.from(`:${PROXY_KEY}`).toString('base64')}`, PROXY_KEY, `Bearer  ${PROXY_KEY}`,
    `Bearer ${PROXY_KEY}, Bearer ${PROXY_KEY}`]
  const places: Array<Record<string, string>> = [
    { cookie: `key=${PROXY_KEY}` },
    { 'x-api-key': PROXY_KEY },
    { 'x-proxy-auth-key': PROXY_KEY },
    { 'proxy-authorization': `Bearer ${PROXY_KEY}` }
  ]
  for (const headers of [...[...values, ...forms].map((authorization) => ({ authorization })), ...places]) {
    const response = await ask('ann', { headers })
    t.equal(response.statusCode, 401, JSON.stringify(headers).slice(0, 60))
    t.same(response.json(), { error: { code: 'UNAUTHORIZED', message: 'Invalid authentication key' } })
  }
  t.equal(
    (await ask('ann', { headers: {}, query: { key: PROXY_KEY, authorization: `Bearer ${PROXY_KEY}` } })).statusCode,
    401
  )
  t.equal(databrain.connections(), 0)
})

t.test('two Authorization headers are 401 in either order', async (t) => {
  const { app, databrain } = await guestTokenApp(t)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const target = `GET ${PATH}?ref=${app.userReference.sign({ sub: 'ann' })} HTTP/1.1`
  const [good, bad] = [`Authorization: Bearer ${PROXY_KEY}`, 'Authorization: Bearer nonsense']
  for (const pair of [[good, bad], [bad, good], [good, good]]) {
    t.equal((await rawRequest(origin, [target, 'Host: a', 'Connection: close', ...pair])).statusCode, 401)
  }
  t.equal(databrain.connections(), 0)
  t.equal((await rawRequest(origin, [target, 'Host: a', 'Connection: close', good])).statusCode, 200)
})

t.test('no response is readable by a page of another origin or cacheable', async (t) => {
  const { databrain, ask } = await guestTokenApp(t, {
    authorize: ({ userReference }) => {
      if (userReference?.sub === 'eve') throw new FORBIDDEN()
      return { clientId: userReference?.sub ?? '' }
    },
    userRateLimit: { max: 2 },
    retries: 0
  })
  const origins = ['https://evil.test', 'null', '', 'http://localhost:80', 'https://evil.test, https://other.test', '*']
  for (const [at, origin] of origins.entries()) {
    const statuses = []
    const asked = (user: string, more: object = {}) =>
      ask(user, { headers: { ...BEARER, origin, cookie: 'a=b', ...more } })
    databrain.answer = reply('no', 500)
    const failed = await asked(`dan ${at}`)
    databrain.answer = reply({ token: '01234567-89ab-cdef-0123-456789abcdef' })
    for (
      const response of [
        failed,
        await asked(`ann ${at}`),
        await asked(`ann ${at}`),
        await asked(`ann ${at}`),
        await asked('eve'),
        await asked('ann', { authorization: 'Bearer x' })
      ]
    ) {
      statuses.push(response.statusCode)
      t.equal(response.headers['cache-control'], 'no-store')
      for (const name of READABLE) {
        t.notOk(name in response.headers, `${name} with ${response.statusCode} for "${origin}"`)
      }
    }
    t.same(statuses, [500, 200, 200, 429, 403, 401])
  }
})

t.test('a Referer replaces neither the key nor the user, with or without an Origin', async (t) => {
  const { app, ask, databrain } = await guestTokenApp(t)
  for (
    const referer of ['http://localhost/', 'https://app.example.com/dashboard',
      `https://app.example.com/?ref=${app.userReference.sign({ sub: 'ann' })}&key=${PROXY_KEY}`]
  ) {
    for (const more of [{}, { origin: new URL(referer).origin }]) {
      t.equal((await ask('ann', { headers: { referer, ...more } })).statusCode, 401)
      t.equal((await ask('ann', { url: PATH, headers: { ...BEARER, referer, ...more } })).statusCode, 401)
    }
  }
  t.equal(databrain.connections(), 0)
})

t.test('each unusual string reaches DataBrain unchanged as user, filter, name and permission', async (t) => {
  let text = ''
  const { databrain, ask } = await guestTokenApp(t, {
    authorize: () => ({
      clientId: text,
      params: { appFilters: [{ values: text }], [`key ${text}`]: text },
      permissions: { [`may ${text}`]: text }
    }),
    allowClientId: () => true
  })
  for (text of NAUGHTY) {
    t.equal((await ask('ann')).statusCode, 200, escape(text))
    t.same(JSON.parse(String(databrain.calls.at(-1)?.body)), {
      clientId: text,
      dataAppName: 'sales',
      params: { appFilters: [{ values: text }], [`key ${text}`]: text },
      permissions: { [`may ${text}`]: text },
      expiryTime: 3_600_000
    })
  }
})

t.test('an unusual string as the user of a reference is passed on unchanged or is 403', async (t) => {
  const { databrain, ask } = await guestTokenApp(t)
  for (const text of NAUGHTY.filter((text) => text !== '')) {
    const before = databrain.calls.length
    const { statusCode } = await ask(text)
    t.ok([200, 403].includes(statusCode), `${statusCode} for ${escape(text)}`)
    if (statusCode === 200) t.equal(JSON.parse(String(databrain.calls.at(-1)?.body)).clientId, text)
    else t.equal(databrain.calls.length, before)
  }
})

/** For assertion messages, which some of the strings would break. */
function escape (text: string): string {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at).toString(16)).join(' ')
}
