import t from 'tap'
import type { Test } from 'tap'

import type { TokenPair } from '../../../../schemas/admin-auth.js'
import type { User } from '../../../../contracts/token-store/index.js'
import { DAY, PASSWORD, adminApp, decode } from '../../../helpers/admin.js'
import type { AdminAppOptions } from '../../../helpers/admin.js'

/** Ann is owner in `acme`, viewer in `bricks`, disabled in `closed`, and no member of `foreign`. */
async function setUp (t: Test, options: AdminAppOptions = {}) {
  const admin = await adminApp(t, options)
  const { store, post, get } = admin
  const { id: userId }: User = await admin.addUser('ann@example.com', 'owner', 'acme')
  for (const [id, name] of [['bricks', 'Bricks Ltd'], ['closed', 'Closed'], ['foreign', 'Foreign']] as const) {
    await store.organisations.create({ id, name })
  }
  await store.members.add({ orgId: 'bricks', userId, role: 'viewer' })
  await store.members.add({ orgId: 'closed', userId, role: 'admin' })
  await store.members.update('closed', userId, { disabled: true })
  const logIn = (fields: object = {}) => post('login', { email: 'ann@example.com', password: PASSWORD, ...fields })
  const switchTo = (org_id: string, token: string) => post('switch', { org_id }, token)
  const whoami = async (token: string) => (await get('me', token)).json()
  return { ...admin, userId, logIn, switchTo, whoami }
}

t.test('org_id selects the organisation of a login; the default is that of the latest login', async (t) => {
  const { logIn, whoami, clock } = await setUp(t)
  const orgOf = async (fields: object) => {
    clock.now += 1_000
    const { access_token } = (await logIn(fields)).json<TokenPair>()
    const { org_id, org_name, role } = await whoami(access_token)
    return [org_id, org_name, role]
  }
  t.same(await orgOf({}), ['acme', 'acme', 'owner'])
  t.same(await orgOf({ org_id: 'bricks' }), ['bricks', 'Bricks Ltd', 'viewer'])
  t.same(await orgOf({}), ['bricks', 'Bricks Ltd', 'viewer'])
  t.same(await orgOf({ org_id: 'acme' }), ['acme', 'acme', 'owner'])
})

t.test('a login to an unknown organisation, or one where the user is disabled or no member, looks like a wrong ' +
  'password and counts as a failure', async (t) => {
  for (const org_id of ['foreign', 'closed', 'nothing', '__proto__', 'a\u0000b']) {
    const { logIn, store, userId } = await setUp(t, { auth: { lockout: { max: 2 } } })
    const wrong = await logIn({ password: 'wrong' })
    const refused = await logIn({ org_id })
    t.same([refused.statusCode, refused.json()], [401, wrong.json()], org_id)
    const locked = await logIn()
    t.same([locked.statusCode, locked.json().error.code], [401, 'ACCOUNT_LOCKED'], `${org_id}: the account is locked`)
    t.same(await store.sessions.list(userId), [])
  }
})

t.test('the response for a wrong organisation is the same for known and unknown emails', async (t) => {
  const { post } = await setUp(t, { auth: { lockout: { max: 2 } } })
  const story = async (email: string) => {
    const replies = []
    for (const fields of [{ org_id: 'foreign' }, { org_id: 'bricks' }, {}, { org_id: 'bricks' }]) {
      const reply = await post('login', { email, password: 'wrong', ...fields })
      replies.push([reply.statusCode, reply.json().error.code])
    }
    return replies
  }
  t.same(await story('ann@example.com'), await story('unknown@example.com'))
})

t.test('the list of organisations leaves out those where the caller is disabled', async (t) => {
  const { logIn, get } = await setUp(t)
  const { access_token } = (await logIn({ org_id: 'bricks' })).json()
  const reply = await get('organisations', access_token)
  t.same(reply.json(), {
    data: [
      { id: 'acme', name: 'acme', role: 'owner', current: false },
      { id: 'bricks', name: 'Bricks Ltd', role: 'viewer', current: true }
    ],
    next_cursor: null,
    has_more: false
  })
  t.equal((await get('organisations')).statusCode, 401)
})

t.test('a switch ends the old session, keeps its end and second factor, and is audited in both ' +
  'organisations', async (t) => {
  const { logIn, switchTo, whoami, get, refresh, store, clock, userId, audited } = await setUp(t)
  const first = (await logIn()).json<TokenPair>()
  const [before] = await store.sessions.list(userId)
  const at = clock.now
  await store.sessions.confirm(before?.id ?? '', at)
  clock.now += DAY
  const { access_token: fresh } = (await refresh(first.refresh_token)).json<TokenPair>()
  clock.now += 60_000
  const reply = await switchTo('bricks', fresh)
  t.equal(reply.statusCode, 200)
  t.equal(reply.headers['cache-control'], 'no-store')
  const next = reply.json<TokenPair>()
  t.match(await whoami(next.access_token), { org_id: 'bricks', role: 'viewer' })
  t.equal((await get('me', fresh)).statusCode, 401, 'the old access token is invalid')
  const sessions = await store.sessions.list(userId)
  t.match(sessions, [{ orgId: 'bricks', endsAt: before?.endsAt }])
  t.equal(sessions.length, 1)
  t.equal((await store.sessions.access(sessions[0]?.id ?? ''))?.mfaAt, at)
  t.equal((await refresh(next.refresh_token)).statusCode, 200)
  t.match((await audited('auth.switched', 'bricks')).find(({ action }) => action === 'auth.switched'), {
    userId,
    resourceType: 'session',
    resourceId: sessions[0]?.id
  })
  const left = (await audited('auth.logout', 'acme')).find(({ action }) => action === 'auth.logout')
  t.match(left, { userId, resourceId: before?.id, changes: { reason: 'switched' } })
})

t.test('a switch to an organisation without membership is 404 and keeps the session', async (t) => {
  const { logIn, switchTo, whoami } = await setUp(t)
  const { access_token } = (await logIn()).json()
  for (const org of ['foreign', 'closed', 'nothing', '__proto__', 'a\u0000b']) {
    const reply = await switchTo(org, access_token)
    t.same([reply.statusCode, reply.json().error.code], [404, 'NOT_FOUND'], org)
  }
  for (const org of ['', 'x'.repeat(101), 7, null]) {
    t.equal((await switchTo(org as string, access_token)).statusCode, 400, String(org))
  }
  t.match(await whoami(access_token), { org_id: 'acme' })
})

t.test('a switch to an organisation that requires a second factor needs one in the session', async (t) => {
  const { logIn, switchTo, store } = await setUp(t)
  await store.organisations.update('bricks', { mfa: 'required' })
  const { access_token } = (await logIn()).json()
  const refused = await switchTo('bricks', access_token)
  t.same([refused.statusCode, refused.json().error.code], [403, 'FORBIDDEN'])
  t.match(refused.json().error.message, /second factor/)
  await store.sessions.confirm(String(decode(access_token).claims['sid']), Date.now())
  t.equal((await switchTo('bricks', access_token)).statusCode, 200)
})

t.test('only one of ten parallel switches of one session succeeds, and one session remains', async (t) => {
  const { logIn, switchTo, store, userId } = await setUp(t)
  const { access_token } = (await logIn()).json()
  const replies = await Promise.all(
    Array.from({ length: 10 }, (_, at) => switchTo(at % 2 === 0 ? 'bricks' : 'acme', access_token))
  )
  t.same(replies.map(({ statusCode }) => statusCode).sort(), [200, ...Array<number>(9).fill(401)])
  t.equal((await store.sessions.list(userId)).length, 1)
})

t.test('a switch starts no session if the sessions are revoked in the meantime', async (t) => {
  const { logIn, switchTo, store, userId } = await setUp(t)
  const { access_token } = (await logIn()).json()
  const { users } = store
  const get = users.get.bind(users)
  users.get = async (...parameters) => {
    await store.sessions.endAll(userId)
    return await get(...parameters)
  }
  t.equal((await switchTo('bricks', access_token)).statusCode, 401)
  t.same(await store.sessions.list(userId), [])
})
