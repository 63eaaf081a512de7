import t from 'tap'
import type { Test } from 'tap'

import { DAY, PASSWORD, adminApp } from '../../../helpers/admin.js'
import type { AdminAppOptions } from '../../../helpers/admin.js'

const NAME = '__Secure-gatehouse-refresh'
const PREFIX = '/v1/admin/auth'
const GRACE = { reuseGrace: 10_000, secretsKeys: ['q7Ty2Kd9Wm4xZp3L-Vb6Nc8Rf1Gj5Hs0'] }

interface Cookie {
  name: string
  value: string
  path?: string
  maxAge?: number
  httpOnly?: boolean
  secure?: boolean
  sameSite?: string
}

async function setUp (t: Test, { auth, ...options }: AdminAppOptions = {}) {
  const admin = await adminApp(t, { auth: { cookie: true, ...auth }, ...options })
  const user = await admin.addUser('ann@example.com')
  async function send (path: string, { cookie, ...headers }: Record<string, string> = {}, payload?: object) {
    const reply = await admin.app.inject({
      method: 'POST',
      url: `${PREFIX}/${path}`,
      headers: { ...headers, ...cookie === undefined ? {} : { cookie: cookie.includes('=') ? cookie : `${NAME}=${cookie}` } },
      ...payload === undefined ? {} : { payload }
    })
    const set = (reply.cookies as Cookie[]).find(({ name }) => name === NAME)
    return { reply, status: reply.statusCode, code: codeOf(reply.body), set, body: reply.body === '' ? {} : reply.json() }
  }
  const logIn = (headers: Record<string, string> = {}) =>
    send('login', headers, { email: 'ann@example.com', password: PASSWORD })
  return { ...admin, user, send, logIn }
}

function codeOf (body: string): string | undefined {
  return body === '' ? undefined : (JSON.parse(body) as { error?: { code: string } }).error?.code
}

t.test('a login sets the refresh token in a cookie that scripts cannot read, and leaves it out of ' +
  'the JSON', async (t) => {
  const { logIn } = await setUp(t)
  const { set, body, reply } = await logIn()
  t.same(Object.keys(body), ['access_token', 'token_type', 'expires_in'])
  t.match(set, { path: PREFIX, maxAge: 604_800, httpOnly: true, secure: true, sameSite: 'Strict' })
  t.equal(reply.headers['cache-control'], 'no-store')
  t.notOk(reply.body.includes(set?.value ?? 'x'))
})

t.test('a refresh reads the cookie, rotates it and sets no later end than that of the session', async (t) => {
  const { logIn, send, clock, get } = await setUp(t)
  let { set } = await logIn()
  for (let day = 6; day < 30; day += 6) {
    clock.now += 6 * DAY
    const next = await send('refresh', { cookie: set?.value ?? '' })
    t.equal(next.status, 200)
    t.same(Object.keys(next.body), ['access_token', 'token_type', 'expires_in'])
    t.not(next.set?.value, set?.value)
    t.equal(next.set?.maxAge, Math.min(7, 30 - day) * 86_400)
    t.equal((await get('me', next.body.access_token)).statusCode, 200)
    set = next.set
  }
})

t.test('a used cookie ends all sessions, and within the grace period returns the same cookie again', async (t) => {
  const strict = await setUp(t)
  const first = await strict.logIn()
  const second = await strict.send('refresh', { cookie: first.set?.value ?? '' })
  t.equal((await strict.send('refresh', { cookie: first.set?.value ?? '' })).code, 'INVALID_REFRESH_TOKEN')
  t.equal((await strict.send('refresh', { cookie: second.set?.value ?? '' })).code, 'INVALID_REFRESH_TOKEN')

  const lenient = await setUp(t, { auth: GRACE })
  const { set } = await lenient.logIn()
  const replies = await Promise.all([1, 2, 3].map(() => lenient.send('refresh', { cookie: set?.value ?? '' })))
  t.same(replies.map(({ status }) => status), [200, 200, 200])
  t.equal(new Set(replies.map((reply) => reply.set?.value)).size, 1, 'the tabs of a browser share one cookie')
})

t.test('the refresh token is refused in the body, with and without the cookie', async (t) => {
  const { logIn, send } = await setUp(t)
  const { set } = await logIn()
  const cookie = set?.value ?? ''
  for (const path of ['refresh', 'logout']) {
    for (const headers of [{}, { cookie }]) {
      const { status, code } = await send(path, headers, { refresh_token: cookie })
      t.same([status, code], [400, 'INVALID_REQUEST'], path)
    }
  }
  t.equal((await send('refresh', { cookie }, {})).status, 200)
})

t.test('a missing, empty, foreign or doubled cookie is refused', async (t) => {
  const { logIn, send } = await setUp(t)
  const [one, two] = [await logIn(), await logIn()]
  const [a = '', b = ''] = [one.set?.value, two.set?.value]
  const headers: ReadonlyArray<Record<string, string>> = [{}, { cookie: `${NAME}=` }, { cookie: 'other=1' },
    { cookie: `gatehouse-refresh=${a}` }, { cookie: `${NAME}=${a}; ${NAME}=${b}` }, { cookie: `${NAME}=garbage` },
    { cookie: `${NAME}=${String(one.body.access_token)}` }]
  for (const header of headers) {
    const { status, code } = await send('refresh', header)
    t.same([status, code], [401, 'INVALID_REFRESH_TOKEN'], header['cookie'] ?? 'none')
  }
  t.equal((await send('refresh', { cookie: `theme=dark; ${NAME}=${a}; ${NAME}=${a}` })).status, 200)
})

const FOREIGN: ReadonlyArray<Record<string, string>> = [
  { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
  { 'sec-fetch-site': 'same-site', origin: 'https://other.example.com' },
  { 'sec-fetch-site': 'cross-site' },
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:80' }
]

t.test('login, refresh and logout from a page of another site are 403 and change nothing', async (t) => {
  const { logIn, send, get } = await setUp(t)
  const { set, body } = await logIn()
  const cookie = set?.value ?? ''
  for (const headers of FOREIGN) {
    for (const path of ['refresh', 'logout']) {
      const { status, code, set: changed } = await send(path, { ...headers, cookie })
      t.same([status, code, changed], [403, 'CSRF_FAILED', undefined], `${path} ${JSON.stringify(headers)}`)
    }
    t.equal((await logIn(headers)).code, 'CSRF_FAILED')
  }
  t.equal((await get('me', body.access_token)).statusCode, 200, 'the session is still there')
  const own = { 'sec-fetch-site': 'same-origin', origin: 'http://localhost:80' }
  t.equal((await send('refresh', { ...own, cookie })).status, 200)
})

t.test('a page of the same site that cors.origins lists can refresh', async (t) => {
  const { logIn, send } = await setUp(t, { auth: { cors: { origins: ['https://app.example.com'] } } })
  const { set } = await logIn()
  const headers = { 'sec-fetch-site': 'same-site', origin: 'https://app.example.com', cookie: set?.value ?? '' }
  const { status, reply } = await send('refresh', headers)
  t.equal(status, 200)
  t.equal(reply.headers['access-control-allow-credentials'], 'true')
  t.equal((await send('refresh', { ...headers, origin: 'https://evil.example.com' })).code, 'ORIGIN_NOT_ALLOWED')
})

t.test('a logout ends the session and deletes the cookie; without a cookie it is 204 too', async (t) => {
  const { logIn, send, get, post } = await setUp(t)
  const one = await logIn()
  const gone = await send('logout', { cookie: one.set?.value ?? '' })
  t.equal(gone.status, 204)
  t.match(gone.set, { value: '', maxAge: 0, path: PREFIX, httpOnly: true, secure: true })
  t.equal((await get('me', one.body.access_token)).statusCode, 401)
  t.equal((await send('logout')).status, 204)
  const two = await logIn()
  const all = await post('logout-all', undefined, two.body.access_token)
  t.match((all.cookies as Cookie[]).find(({ name }) => name === NAME), { value: '', maxAge: 0 })
  const invalid = await send('logout', { cookie: 'garbage' })
  t.same([invalid.status, invalid.set?.value], [401, ''], 'an invalid cookie is deleted')
})

t.test('a login ends the session whose cookie it overwrites, and no other session', async (t) => {
  const { logIn, send, get, addUser, audited, user } = await setUp(t)
  await addUser('bob@example.com')
  const [first, other] = [await logIn(), await logIn()]
  const bob = await send('login', { cookie: first.set?.value ?? '' }, { email: 'bob@example.com', password: PASSWORD })
  t.equal((await get('me', first.body.access_token)).statusCode, 401)
  for (const { body } of [other, bob]) t.equal((await get('me', body.access_token)).statusCode, 200)
  t.match((await audited('auth.logout')).find(({ action }) => action === 'auth.logout'), {
    userId: user.id,
    changes: { reason: 'replaced' }
  })
  await send('login', { cookie: bob.set?.value ?? '' }, { email: 'bob@example.com', password: 'wrong' })
  t.equal((await get('me', bob.body.access_token)).statusCode, 200, 'a failed login ends nothing')
  t.equal((await logIn({ cookie: 'garbage' })).status, 200)
})

t.test('a switch replaces the cookie, and no log line contains one', async (t) => {
  const lines: string[] = []
  const { logIn, store, user, app, send } = await setUp(t, {
    server: { logger: { level: 'trace', stream: { write: (line: string) => lines.push(line) } } }
  })
  await store.organisations.create({ id: 'bricks', name: 'Bricks' })
  await store.members.add({ orgId: 'bricks', userId: user.id, role: 'viewer' })
  const { set, body } = await logIn()
  const reply = await app.inject({
    method: 'POST',
    url: `${PREFIX}/switch`,
    headers: { authorization: `Bearer ${String(body.access_token)}` },
    payload: { org_id: 'bricks' }
  })
  t.same(Object.keys(reply.json()), ['access_token', 'token_type', 'expires_in'])
  const next = (reply.cookies as Cookie[]).find(({ name }) => name === NAME)
  t.equal((await send('refresh', { cookie: set?.value ?? '' })).status, 401, 'the old session has ended')
  t.equal((await send('refresh', { cookie: next?.value ?? '' })).status, 200)
  for (const token of [set?.value ?? '', next?.value ?? '']) {
    t.ok(token.length > 100)
    t.notOk(lines.some((line) => line.includes(token)))
  }
})

t.test('without the option no cookie is set or read', async (t) => {
  const { logIn, send } = await setUp(t, { auth: { cookie: false } })
  const { set, body } = await logIn()
  t.equal(set, undefined)
  t.equal((await send('refresh', { cookie: body.refresh_token })).status, 400)
  t.equal((await send('refresh', { 'sec-fetch-site': 'cross-site' }, { refresh_token: body.refresh_token })).status, 200)
  await t.rejects(adminApp(t, { auth: { cookie: 'yes' as unknown as boolean } }), { code: 'INVALID_OPTIONS' })
})
