import t from 'tap'

import { ROLES } from '../../../../contracts/token-store/index.js'
import { atLeast } from '../../../../plugins/admin-guard/index.js'
import { caller } from '../../../helpers/admin-caller.js'
import { usersApp } from '../../../helpers/admin-users.js'

t.test('owners and admins change and remove only lower or equal roles, other roles none', async (t) => {
  const admin = await usersApp(t)
  await caller(admin)
  for (const role of ROLES) {
    const actor = await caller(admin, role, `org-${role}`)
    await admin.addUser(`other@${role}.example.com`, 'owner', `org-${role}`)
    for (const other of ROLES) {
      const { id } = await admin.addUser(`${other}@of-${role}.example.com`, other, `org-${role}`)
      const may = ['owner', 'admin'].includes(role) && atLeast(other).includes(role)
      const before = await admin.store.members.get(`org-${role}`, id)
      const patch = await actor.send('PATCH', `/users/${id}`, { disabled: true })
      t.equal(patch.statusCode, may ? 200 : 403, `${role} disables ${other}`)
      if (!may) t.same(await admin.store.members.get(`org-${role}`, id), before)
      t.equal((await actor.send('PATCH', `/users/${id}`, { role: 'viewer' })).statusCode, may ? 200 : 403)
      t.equal((await actor.send('DELETE', `/users/${id}`)).statusCode, may ? 204 : 403, `${role} removes ${other}`)
      t.equal(await admin.store.members.get(`org-${role}`, id) === null, may)
      const reads = ['owner', 'admin'].includes(role) ? 200 : 403
      t.equal((await actor.get('/users')).statusCode, reads)
      t.equal((await actor.get(`/users/${actor.userId}`)).statusCode, reads)
    }
  }
})

t.test('only an owner gives the role owner', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const other = await caller(admin, 'admin')
  const { id } = await admin.addUser('ann@example.com', 'viewer')
  const refused = await other.send('PATCH', `/users/${id}`, { role: 'owner' })
  t.equal(refused.statusCode, 403)
  t.match(refused.json().error, { code: 'FORBIDDEN', message: 'Only an owner may give the role owner' })
  t.equal((await other.send('PATCH', `/users/${id}`, { role: 'admin' })).json().role, 'admin')
  t.equal((await owner.send('PATCH', `/users/${id}`, { role: 'owner' })).json().role, 'owner')
  t.equal((await other.send('PATCH', `/users/${id}`, { role: 'viewer' })).statusCode, 403)
})

t.test('an administrator cannot change or remove the own membership, and the last owner is kept', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const other = await caller(admin, 'admin')
  for (const actor of [owner, other]) {
    for (const body of [{ role: 'viewer' }, { disabled: true }, { disabled: false }]) {
      t.equal((await actor.send('PATCH', `/users/${actor.userId}`, body)).statusCode, 403, JSON.stringify(body))
    }
    t.equal((await actor.send('DELETE', `/users/${actor.userId}`)).statusCode, 403)
  }
  await owner.send('PATCH', `/users/${other.userId}`, { role: 'owner' })
  const replies = await Promise.all([
    owner.send('PATCH', `/users/${other.userId}`, { role: 'viewer' }),
    other.send('PATCH', `/users/${owner.userId}`, { disabled: true })
  ])
  // The second one is refused by the guard or by the store.
  t.equal(replies.filter(({ statusCode }) => statusCode === 200).length, 1)
  t.equal(replies.filter(({ statusCode }) => [401, 403, 409].includes(statusCode)).length, 1)
  const { data } = (await admin.store.members.list('default', { limit: 10 }))
  t.equal(data.filter(({ role, disabled }) => role === 'owner' && !disabled).length, 1)
})

t.test('a disabled, demoted or removed member is refused immediately', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const [disabled, demoted, removed] = [await caller(admin, 'admin'), await caller(admin, 'editor'),
    await caller(admin, 'viewer')]
  await owner.send('PATCH', `/users/${disabled.userId}`, { disabled: true })
  t.equal((await disabled.get('/sources')).statusCode, 401)
  t.equal((await admin.post('login', { email: 'admin@default.example.com', password: 'a quite unguessable one' })).statusCode, 401)
  await owner.send('PATCH', `/users/${demoted.userId}`, { role: 'viewer' })
  t.equal((await demoted.send('POST', '/sources', { name: 'Shop' })).statusCode, 403)
  await owner.send('DELETE', `/users/${removed.userId}`)
  t.equal((await removed.get('/sources')).statusCode, 401)
  await owner.send('PATCH', `/users/${disabled.userId}`, { disabled: false })
  t.ok(await admin.login('admin@default.example.com'))
  t.equal((await disabled.get('/sources')).statusCode, 401, 'the session from before does not come back')
})

t.test('a member of another organisation is 404', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const foreign = await caller(admin, 'owner', 'org-b')
  for (const id of [foreign.userId, 'nobody', '%00', 'a'.repeat(65)]) {
    t.equal((await owner.get(`/users/${id}`)).statusCode, 404, id)
    t.equal((await owner.send('PATCH', `/users/${id}`, { role: 'viewer' })).statusCode, 404, id)
    t.equal((await owner.send('DELETE', `/users/${id}`)).statusCode, 404, id)
  }
  t.same((await owner.get('/users')).json().data.map(({ id }: { id: string }) => id), [owner.userId])
  t.equal((await admin.store.members.get('org-b', foreign.userId))?.role, 'owner')
})

t.test('a body with other properties than role and disabled is 400', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const { id, passwordHash } = await admin.addUser('ann@example.com', 'viewer')
  const bodies = [{}, { role: 'emperor' }, { role: null }, { disabled: 'true' }, { disabled: 1 }, [],
    { role: 'editor', org_id: 'org-b' }, { password_hash: 'x' }, { email: 'x@example.com' }, { epoch: 5 }]
  for (const body of bodies) {
    const reply = await owner.send('PATCH', `/users/${id}`, body)
    t.equal(reply.statusCode, 400, JSON.stringify(body))
  }
  t.match(await admin.store.users.get(id), { role: 'viewer', orgId: 'default', email: 'ann@example.com', passwordHash })
})

t.test('members are listed page by page, without secrets', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  for (let at = 0; at < 4; at++) await admin.addUser(`user-${at}@example.com`, 'viewer')
  const first = (await owner.get('/users?limit=3')).json()
  t.equal(first.data.length, 3)
  t.equal(first.has_more, true)
  const second = (await owner.get(`/users?limit=3&cursor=${encodeURIComponent(first.next_cursor)}`)).json()
  t.same([...first.data, ...second.data].map(({ email }) => email), [
    'user-3@example.com',
    'user-2@example.com',
    'user-1@example.com',
    'user-0@example.com',
    'owner@default.example.com'
  ])
  t.equal(second.has_more, false)
  t.notOk(JSON.stringify([first, second]).includes('argon2'))
  const foreign = await caller(admin, 'owner', 'org-b')
  const reply = await foreign.get(`/users?cursor=${encodeURIComponent(first.next_cursor)}`)
  t.equal(reply.statusCode, 400, 'a cursor of another organisation')
})

t.test('each change of a member is in the audit trail, with what changed', async (t) => {
  const admin = await usersApp(t)
  const owner = await caller(admin)
  const { id } = await admin.addUser('ann@example.com', 'viewer')
  await owner.send('PATCH', `/users/${id}`, { role: 'editor' })
  await owner.send('PATCH', `/users/${id}`, { role: 'editor' })
  await owner.send('PATCH', `/users/${id}`, { disabled: true })
  await owner.send('PATCH', `/users/${id}`, { disabled: false })
  await owner.send('DELETE', `/users/${id}`)
  const entries = await admin.audited('user.deleted')
  const ofUser = entries.filter(({ resourceId }) => resourceId === id).reverse()
  t.same(ofUser.map(({ action, userId, changes }) => [action, userId, changes]), [
    ['user.updated', owner.userId, { role: { from: 'viewer', to: 'editor' } }],
    ['user.disabled', owner.userId, { disabled: { from: false, to: true } }],
    ['user.updated', owner.userId, { disabled: { from: true, to: false } }],
    ['user.deleted', owner.userId, { email: 'ann@example.com', role: 'editor' }]
  ])
})
