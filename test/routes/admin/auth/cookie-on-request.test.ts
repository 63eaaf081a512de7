import t from 'tap'
import type { Test } from 'tap'

import { PASSWORD, adminApp } from '../../../helpers/admin.js'

const NAME = '__Secure-gatehouse-refresh'
const PREFIX = '/v1/admin/auth'
const ASK = { 'x-token-delivery': 'cookie' }

async function setUp (t: Test) {
  const admin = await adminApp(t, {
    auth: { cookie: 'on-request', reuseGrace: 10_000, secretsKeys: ['q7Ty2Kd9Wm4xZp3L-Vb6Nc8Rf1Gj5Hs0'] }
  })
  await admin.addUser('ann@example.com')
  async function send (path: string, headers: Record<string, string> = {}, payload?: object) {
    const reply = await admin.app.inject({
      method: 'POST',
      url: `${PREFIX}/${path}`,
      headers,
      ...payload === undefined ? {} : { payload }
    })
    const cookie = reply.cookies.find(({ name }) => name === NAME)?.value
    const body = reply.body === '' ? {} : reply.json()
    return { status: reply.statusCode, code: body.error?.code, cookie, body }
  }
  const logIn = (headers: Record<string, string> = {}) =>
    send('login', headers, { email: 'ann@example.com', password: PASSWORD })
  const withCookie = (value = '', headers: Record<string, string> = ASK) => ({ ...headers, cookie: `${NAME}=${value}` })
  return { ...admin, send, logIn, withCookie }
}

t.test('the refresh token is in the cookie for a login with the header, and in the JSON without it', async (t) => {
  const { logIn } = await setUp(t)
  const page = await logIn(ASK)
  t.same(Object.keys(page.body), ['access_token', 'token_type', 'expires_in'])
  t.ok(page.cookie)
  const program = await logIn()
  t.ok(program.body.refresh_token)
  t.equal(program.cookie, undefined)
})

t.test('a refresh reads the cookie with the header, and the body without it', async (t) => {
  const { logIn, send, withCookie } = await setUp(t)
  const page = await logIn(ASK)
  const next = await send('refresh', withCookie(page.cookie))
  t.equal(next.status, 200)
  t.notOk('refresh_token' in next.body)
  const program = await logIn()
  const again = await send('refresh', {}, { refresh_token: program.body.refresh_token })
  t.equal(again.status, 200)
  t.ok(again.body.refresh_token)
  t.equal(again.cookie, undefined)
})

t.test('a cookie without the header, and a body with the header, are refused', async (t) => {
  const { logIn, send, withCookie } = await setUp(t)
  const { cookie } = await logIn(ASK)
  const { body } = await logIn()
  for (const path of ['refresh', 'logout']) {
    for (const [headers, payload] of [
      [withCookie(cookie, {}), undefined],
      [ASK, { refresh_token: body.refresh_token }],
      [{}, undefined]
    ] as const) {
      const { status, code } = await send(path, headers, payload)
      t.same([status, code], [400, 'INVALID_REQUEST'], path)
    }
  }
  t.equal((await send('refresh', withCookie(cookie))).status, 200, 'the session is still there')
})

t.test('only a token from the cookie may be repeated in the grace period', async (t) => {
  const { logIn, send, withCookie } = await setUp(t)
  const { cookie } = await logIn(ASK)
  const replies = await Promise.all([1, 2].map(() => send('refresh', withCookie(cookie))))
  t.same(replies.map(({ status }) => status), [200, 200])
  t.equal(replies[0]?.cookie, replies[1]?.cookie)

  const { body: { refresh_token: token } } = await logIn()
  t.equal((await send('refresh', {}, { refresh_token: token })).status, 200)
  const reused = await send('refresh', {}, { refresh_token: token })
  t.same([reused.status, reused.code], [401, 'INVALID_REFRESH_TOKEN'])
})

t.test('a page of another site is refused with the header', async (t) => {
  const { logIn, send, withCookie } = await setUp(t)
  const { cookie } = await logIn(ASK)
  const foreign = { ...ASK, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
  t.equal((await logIn(foreign)).code, 'CSRF_FAILED')
  t.equal((await send('refresh', withCookie(cookie, foreign))).code, 'CSRF_FAILED')
})

t.test('a logout with the header ends the session and deletes the cookie', async (t) => {
  const { logIn, send, withCookie, get } = await setUp(t)
  const { cookie, body } = await logIn(ASK)
  const out = await send('logout', withCookie(cookie))
  t.same([out.status, out.cookie], [204, ''])
  t.equal((await get('me', body.access_token)).statusCode, 401)
})

t.test('another value of cookie is refused at start', async (t) => {
  await t.rejects(adminApp(t, { auth: { cookie: 'sometimes' as 'on-request' } }), { code: 'INVALID_OPTIONS' })
})
