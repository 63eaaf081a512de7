import { createHash } from 'node:crypto'

import t from 'tap'

import type { TokenPair } from '../../../../schemas/admin-auth.js'
import { PASSWORD, adminApp, decode } from '../../../helpers/admin.js'

const NEW_PASSWORD = 'another unguessable one'

t.test('me returns user, organisation, role and session of the caller', async (t) => {
  const { addUser, login, get } = await adminApp(t)
  const user = await addUser('ann@example.com', 'viewer', 'acme')
  const { access_token } = await login('ann@example.com')
  const reply = await get('me', access_token)
  t.equal(reply.headers['cache-control'], 'no-store')
  t.same(reply.json(), {
    id: user.id,
    email: 'ann@example.com',
    org_id: 'acme',
    org_name: 'acme',
    role: 'viewer',
    session_id: decode(access_token).claims['sid']
  })
})

t.test('callers list their sessions and end each of them, but no session of another user', async (t) => {
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
    org_id: 'default',
    device: 'lightMyRequest',
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
    'the access token of the ended session is refused immediately'
  )
  for (const pair of [laptop, bob]) t.equal((await get('me', pair.access_token)).statusCode, 200)
})

t.test('logout ends only its session and is 204 when repeated, and logout-all ends every session of the ' +
  'user', async (t) => {
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
    'an access token is refused'
  )
  t.equal((await post('logout', { refresh_token: 'garbage' })).statusCode, 401)
  clock.now += 8 * 86_400_000
  t.equal((await post('logout', { refresh_token: late.refresh_token })).statusCode, 204, 'an expired token is accepted')
})

t.test('logout-others ends every other session of only the caller, and returns their number', async (t) => {
  const { addUser, login, get, post, refresh, audited } = await adminApp(t)
  const ann = await addUser('ann@example.com')
  await addUser('bob@example.com')
  const bob = await login('bob@example.com')
  const [here, ...others] = [await login('ann@example.com'), await login('ann@example.com'),
    await login('ann@example.com')]
  const reply = await post('logout-others', undefined, here.access_token)
  t.same([reply.statusCode, reply.json()], [200, { ended: 2 }])
  for (const pair of others) {
    t.equal((await get('me', pair.access_token)).statusCode, 401)
    t.equal((await refresh(pair.refresh_token)).statusCode, 401)
  }
  for (const pair of [here, bob]) t.equal((await get('me', pair.access_token)).statusCode, 200)
  t.same((await post('logout-others', undefined, here.access_token)).json(), { ended: 0 })
  t.match((await audited('auth.logout_others')).find(({ changes }) => changes?.['ended'] === 2), {
    userId: ann.id,
    changes: { reason: 'logout_others' }
  })
})

t.test('a session that is not refreshed within sessionIdleMax ends at the next refresh, with its reason in the ' +
  'audit', async (t) => {
  const { addUser, login, refresh, get, store, clock, audited } = await adminApp(t, {
    auth: { sessionIdleMax: 3_600_000 }
  })
  const { id: userId } = await addUser('ann@example.com')
  let { refresh_token } = await login('ann@example.com')
  for (let hour = 0; hour < 5; hour++) {
    clock.now += 3_599_000
    const reply = await refresh(refresh_token)
    t.equal(reply.statusCode, 200)
    refresh_token = reply.json().refresh_token
  }
  const { access_token } = await login('ann@example.com')
  clock.now += 800_000
  const [, idle] = (await get('sessions', access_token)).json().data
  t.equal(Date.parse(idle.expires_at), Date.parse(idle.last_used_at) + 3_600_000)
  clock.now += 2_800_000
  const reply = await refresh(refresh_token)
  t.same([reply.statusCode, reply.json().error.code], [401, 'INVALID_REFRESH_TOKEN'])
  t.equal((await store.sessions.list(userId)).some(({ id }) => id === idle.id), false)
  t.match((await audited('auth.session_expired')).find(({ action }) => action === 'auth.session_expired'), {
    userId,
    resourceId: idle.id,
    changes: { reason: 'idle' }
  })
  t.equal((await store.users.get(userId))?.epoch, 0, 'an idle session revokes nothing else')
})

t.test('a sessionIdleMax below accessTtl, above 30 days or not in whole seconds is refused', async (t) => {
  for (const sessionIdleMax of [0, -1, 899_000, 900_500, 2_592_001_000, 1.5, Infinity, '3600000' as unknown as number]) {
    await t.rejects(adminApp(t, { auth: { sessionIdleMax } }), { code: 'INVALID_OPTIONS', message: /sessionIdleMax/ })
  }
})

t.test('the audit entry of each ended session contains the reason', async (t) => {
  const { addUser, login, post, app, audited, refresh } = await adminApp(t)
  await addUser('ann@example.com')
  await post('logout', { refresh_token: (await login('ann@example.com')).refresh_token })
  const [one, two] = [await login('ann@example.com'), await login('ann@example.com')]
  const ended = await app.inject({
    method: 'DELETE',
    url: `/v1/admin/auth/sessions/${String(decode(two.access_token).claims['sid'])}`,
    headers: { authorization: `Bearer ${one.access_token}` }
  })
  t.equal(ended.statusCode, 204)
  await post('password', { current_password: PASSWORD, new_password: NEW_PASSWORD }, one.access_token)
  await refresh(one.refresh_token)
  await refresh(one.refresh_token)
  const { access_token } = await login('ann@example.com', NEW_PASSWORD)
  await post('logout-all', undefined, access_token)
  const entries = await audited('auth.logout_all')
  t.strictSame(
    entries.filter(({ changes }) => changes?.['reason'] !== undefined).map(({ action, changes }) => [
      action,
      changes?.['reason']
    ]).reverse(),
    [['auth.logout', 'logout'], ['auth.logout', 'ended_from_another_session'],
      ['auth.password_changed', 'password_changed'], ['auth.refresh_reused', 'refresh_reused'],
      ['auth.logout_all', 'logout_all']]
  )
})

t.test('logout-all accepts an empty body of any media type', async (t) => {
  const { addUser, login, app } = await adminApp(t)
  await addUser('ann@example.com')
  for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
    const { access_token } = await login('ann@example.com')
    const headers = { authorization: `Bearer ${access_token}`, 'content-type': type }
    t.equal((await app.inject({ method: 'POST', url: '/v1/admin/auth/logout-all', headers })).statusCode, 204, type)
  }
})

t.test('a changed password ends the other sessions, and the old password is refused', async (t) => {
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

t.test('only one of two parallel changes of the password succeeds, and the other is 401', async (t) => {
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

t.test('a password change requires the current password and a strong new password', async (t) => {
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
    ['no current password', { new_password: NEW_PASSWORD }, 400, 'INVALID_REQUEST'],
    ['a wrong current password', { current_password: 'wrong', new_password: NEW_PASSWORD }, 401, 'INVALID_CREDENTIALS']
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
  t.equal(locked.json().error.code, 'ACCOUNT_LOCKED', 'wrong current passwords lock the change')
})

t.test('the store receives only digests of refresh token ids, and no id repeats', async (t) => {
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
