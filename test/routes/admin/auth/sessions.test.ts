import { createHash } from 'node:crypto'

import t from 'tap'

import type { TokenPair } from '../../../../schemas/admin-auth.js'
import { PASSWORD, adminApp, decode } from '../../../helpers/admin.js'

const NEW_PASSWORD = 'another unguessable one'

t.test('me says who calls, and nothing else', async (t) => {
  const { addUser, login, get } = await adminApp(t)
  const user = await addUser('ann@example.com', 'viewer', 'acme')
  const { access_token } = await login('ann@example.com')
  const reply = await get('me', access_token)
  t.equal(reply.headers['cache-control'], 'no-store')
  t.same(reply.json(), {
    id: user.id,
    email: 'ann@example.com',
    org_id: 'acme',
    role: 'viewer',
    session_id: decode(access_token).claims['sid']
  })
})

t.test("the sessions of the caller are listed, and one can be ended, but no other user's", async (t) => {
  const { addUser, login, get, app } = await adminApp(t)
  await addUser('ann@example.com')
  await addUser('bob@example.com')
  const laptop = await login('ann@example.com')
  const phone = await login('ann@example.com')
  const bob = await login('bob@example.com')
  const [mine, other, foreign] = [laptop, phone, bob].map(({ access_token }) =>
    String(decode(access_token).claims['sid'])
  )
  const list = (await get('sessions', laptop.access_token)).json()
  t.same([list.next_cursor, list.has_more, list.data.length], [null, false, 2])
  t.match(list.data.find(({ id }: { id: string }) => id === mine), {
    current: true,
    ip_address: '127.0.0.1',
    created_at: /Z$/,
    expires_at: /Z$/
  })
  t.match(list.data.find(({ id }: { id: string }) => id === other), { current: false })
  const end = (id = '', token = laptop.access_token) =>
    app.inject({
      method: 'DELETE',
      url: `/v1/admin/auth/sessions/${id}`,
      headers: { authorization: `Bearer ${token}` }
    })
  for (const id of [foreign ?? '', 'nothing', 'a%00b', '..%2f..', 'x'.repeat(90)]) {
    const reply = await end(id)
    t.equal(reply.statusCode, 404, id)
    t.equal(reply.json().error.code, 'NOT_FOUND', id)
  }
  t.equal((await end(other)).statusCode, 204)
  t.equal((await end(other)).statusCode, 404)
  t.equal(
    (await get('me', phone.access_token)).statusCode,
    401,
    'the access token of the ended session is dead at once'
  )
  for (const pair of [laptop, bob]) t.equal((await get('me', pair.access_token)).statusCode, 200)
})

t.test('logout ends its session alone and answers 204 again, logout-all ends every one', async (t) => {
  const { addUser, login, get, post, refresh, clock, audited } = await adminApp(t)
  await addUser('ann@example.com')
  const [one, two, three] = await Promise.all([1, 2, 3].map(() => login('ann@example.com'))) as [TokenPair, TokenPair,
    TokenPair]
  for (let i = 0; i < 2; i++) {
    const reply = await post('logout', { refresh_token: one.refresh_token })
    t.equal(reply.statusCode, 204)
    t.equal(reply.body, '')
  }
  const alive = async (pair: TokenPair) => (await get('me', pair.access_token)).statusCode
  t.same([await alive(one), await alive(two)], [401, 200])
  t.equal((await post('logout-all', undefined, two.access_token)).statusCode, 204)
  t.same([await alive(two), await alive(three)], [401, 401])
  t.equal((await refresh(three.refresh_token)).statusCode, 401)
  t.equal((await audited('auth.logout_all')).filter(({ action }) => action.startsWith('auth.logout')).length, 2)

  const late = await login('ann@example.com')
  t.equal(
    (await post('logout', { refresh_token: late.access_token })).json().error.code,
    'INVALID_REFRESH_TOKEN',
    'not by an access token'
  )
  t.equal((await post('logout', { refresh_token: 'garbage' })).statusCode, 401)
  clock.now += 8 * 86_400_000
  t.equal((await post('logout', { refresh_token: late.refresh_token })).statusCode, 204, 'expired is dead already')
})

t.test('logout-all takes an empty body under any media type', async (t) => {
  const { addUser, login, app } = await adminApp(t)
  await addUser('ann@example.com')
  for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
    const { access_token } = await login('ann@example.com')
    const headers = { authorization: `Bearer ${access_token}`, 'content-type': type }
    t.equal((await app.inject({ method: 'POST', url: '/v1/admin/auth/logout-all', headers })).statusCode, 204, type)
  }
})

t.test('a changed password ends the other sessions and is the only one that lets in', async (t) => {
  const { addUser, login, get, post, refresh, audited } = await adminApp(t)
  await addUser('ann@example.com')
  const here = await login('ann@example.com')
  const there = await login('ann@example.com')
  const reply = await post('password', { current_password: PASSWORD, new_password: NEW_PASSWORD }, here.access_token)
  t.equal(reply.statusCode, 204)
  t.equal((await get('me', here.access_token)).statusCode, 200)
  t.equal((await get('me', there.access_token)).statusCode, 401)
  t.equal((await refresh(there.refresh_token)).statusCode, 401)
  t.equal((await refresh(here.refresh_token)).statusCode, 200)
  t.equal((await post('login', { email: 'ann@example.com', password: PASSWORD })).statusCode, 401)
  await login('ann@example.com', NEW_PASSWORD)
  t.ok(await audited('auth.password_changed'))
})

t.test('of two changes of the password at the same time one wins, and the other learns it', async (t) => {
  const { addUser, login, post } = await adminApp(t)
  await addUser('ann@example.com')
  const { access_token } = await login('ann@example.com')
  const passwords = [NEW_PASSWORD, 'yet another unguessable one']
  const replies = await Promise.all(
    passwords.map((new_password) => post('password', { current_password: PASSWORD, new_password }, access_token))
  )
  t.same(replies.map(({ statusCode }) => statusCode).sort(), [204, 401])
  const winner = replies.findIndex(({ statusCode }) => statusCode === 204)
  t.equal(replies[1 - winner]?.json().error.code, 'INVALID_CREDENTIALS')
  await login('ann@example.com', passwords[winner])
})

t.test('a password change needs the current password and a good new one', async (t) => {
  const { addUser, login, post } = await adminApp(t)
  await addUser('ann.the.first@example.com')
  const { access_token } = await login('ann.the.first@example.com')
  const cases: Array<[string, object, number, string]> = [
    ['short', { current_password: PASSWORD, new_password: 'elevenchars' }, 400, 'INVALID_REQUEST'],
    ['common', { current_password: PASSWORD, new_password: 'Password1234!' }, 400, 'INVALID_REQUEST'],
    ['the same', { current_password: PASSWORD, new_password: PASSWORD }, 400, 'INVALID_REQUEST'],
    ['the email', { current_password: PASSWORD, new_password: 'Ann.the.first@example.com' }, 400, 'INVALID_REQUEST'],
    ['too long', { current_password: PASSWORD, new_password: 'x1'.repeat(600) }, 400, 'INVALID_REQUEST'],
    ['another member', { current_password: PASSWORD, new_password: NEW_PASSWORD, role: 'owner' }, 400,
      'INVALID_REQUEST'],
    ['no current one', { new_password: NEW_PASSWORD }, 400, 'INVALID_REQUEST'],
    ['a wrong current one', { current_password: 'wrong', new_password: NEW_PASSWORD }, 401, 'INVALID_CREDENTIALS']
  ]
  for (const [name, body, status, code] of cases) {
    const reply = await post('password', body, access_token)
    t.equal(reply.statusCode, status, name)
    t.equal(reply.json().error.code, code, name)
    t.notOk(reply.body.includes(NEW_PASSWORD) || reply.body.includes(PASSWORD), name)
  }
  t.equal(
    (await post('password', { current_password: PASSWORD, new_password: NEW_PASSWORD })).statusCode,
    401,
    'without a token'
  )
  for (let i = 0; i < 4; i++) {
    await post('password', { current_password: 'wrong', new_password: NEW_PASSWORD }, access_token)
  }
  const locked = await post('password', { current_password: PASSWORD, new_password: NEW_PASSWORD }, access_token)
  t.equal(locked.json().error.code, 'ACCOUNT_LOCKED', 'guesses here count like those at the login')
})

t.test('the store is given digests of refresh ids, and no id comes twice', async (t) => {
  const { addUser, login, refresh, store } = await adminApp(t)
  await addUser('ann@example.com')
  const given: string[] = []
  const { sessions } = store
  const [start, rotate] = [sessions.start.bind(sessions), sessions.rotate.bind(sessions)]
  sessions.start = (session) => {
    given.push(JSON.stringify(session))
    return start(session)
  }
  sessions.rotate = (rotation) => {
    given.push(JSON.stringify(rotation))
    return rotate(rotation)
  }
  const ids = new Set<unknown>()
  for (let i = 0; i < 500; i++) {
    const pair = await login('ann@example.com')
    const next = (await refresh(pair.refresh_token)).json<TokenPair>()
    for (const token of [pair.access_token, pair.refresh_token, next.access_token, next.refresh_token]) {
      const jti = String(decode(token).claims['jti'])
      ids.add(jti)
      if (given.some((text) => text.includes(jti) || text.includes(token))) {
        return t.fail('the store was given a token or its id')
      }
    }
    const digest = createHash('sha256').update(String(decode(next.refresh_token).claims['jti'])).digest('hex')
    if (!given.some((text) => text.includes(digest))) return t.fail('the store was not given the digest')
    given.length = 0
  }
  t.equal(ids.size, 2000)
})
