import t from 'tap'

import type { Role } from '../../../../contracts/token-store/index.js'
import { scimApp } from '../../../helpers/scim.js'
import type { ScimApp } from '../../../helpers/scim.js'

async function withRoles (admin: ScimApp): Promise<(id: string) => Promise<Role | undefined>> {
  await admin.addUser('root@elsewhere.example', 'owner', 'org-a')
  await admin.store.scim.updateSettings('org-a', {
    groupRoles: [{ group: 'Editors', role: 'editor' }, { group: 'IT', role: 'admin' }, { group: 'Board', role: 'owner' }]
  })
  return async (id) => (await admin.store.members.get('org-a', id))?.role
}

const add = (id: string) => ({ op: 'add', path: 'members', value: [{ value: id }] })
const remove = (id: string) => ({ op: 'remove', path: `members[value eq "${id}"]` })

t.test('a user has the highest role of the groups, and the default role after the last of them', async (t) => {
  const admin = await scimApp(t)
  const roleOf = await withRoles(admin)
  const { patch, send, provision, addGroup } = admin
  const ann = await provision('ann@example.com')
  const editors = await addGroup('EDITORS', [ann])
  t.equal(await roleOf(ann), 'editor')
  const it = await addGroup('it')
  await patch(`/Groups/${it}`, add(ann))
  t.equal(await roleOf(ann), 'admin')
  t.match((await send('GET', `/Users/${ann}`)).json().roles, [{ value: 'admin', primary: true }])
  await patch(`/Groups/${editors}`, remove(ann))
  t.equal(await roleOf(ann), 'admin')
  await send('PUT', `/Groups/${it}`, { displayName: 'IT', members: [] })
  t.equal(await roleOf(ann), 'viewer')
  await send('PUT', `/Groups/${editors}`, { displayName: 'Editors', members: [{ value: ann }] })
  t.equal(await roleOf(ann), 'editor')
  await patch(`/Groups/${editors}`, { op: 'replace', value: { displayName: 'Former editors' } })
  t.equal(await roleOf(ann), 'viewer')
  await patch(`/Groups/${editors}`, { op: 'replace', value: { displayName: 'Editors' } })
  t.equal(await roleOf(ann), 'editor')
  await send('DELETE', `/Groups/${editors}`)
  t.equal(await roleOf(ann), 'viewer')
})

t.test('a group without a role changes no role, also not one that was given by hand', async (t) => {
  const admin = await scimApp(t)
  const roleOf = await withRoles(admin)
  const ann = await admin.provision('ann@example.com')
  await admin.store.members.update('org-a', ann, { role: 'admin' })
  const group = await admin.addGroup('Everyone', [ann])
  await admin.patch(`/Groups/${group}`, remove(ann))
  await admin.send('DELETE', `/Groups/${group}`)
  t.equal(await roleOf(ann), 'admin')
})

t.test('a key gives and takes no role above its own through groups, and then changes nothing', async (t) => {
  const owner = await scimApp(t)
  const roleOf = await withRoles(owner)
  const { addGroup, send, patch, directory, provision } = owner
  const admin = await directory('admin')
  const [ann, boss] = [await provision('ann@example.com'), await provision('boss@example.com')]
  const board = await addGroup('Board', [boss])
  const editors = await addGroup('Editors')
  t.equal(await roleOf(boss), 'owner')
  for (const reply of [
    await admin.patch(`/Groups/${board}`, add(ann)),
    await admin.patch(`/Groups/${board}`, remove(boss)),
    await admin.send('PUT', `/Groups/${board}`, { displayName: 'Board', members: [{ value: ann }] }),
    await admin.patch(`/Groups/${board}`, { op: 'replace', value: { displayName: 'Editors 2' } }),
    await admin.send('DELETE', `/Groups/${board}`)
  ]) {
    t.equal(reply.statusCode, 403, reply.body)
    t.match(reply.json(), { status: '403' })
  }
  t.match((await send('GET', `/Groups/${board}`)).json(), { displayName: 'Board', members: [{ value: boss }] })
  t.same([await roleOf(ann), await roleOf(boss)], ['viewer', 'owner'])
  t.equal((await admin.patch(`/Groups/${editors}`, add(ann), add(boss))).statusCode, 204, 'the owner stays one')
  t.same([await roleOf(ann), await roleOf(boss)], ['editor', 'owner'])
  await patch(`/Groups/${board}`, remove(boss))
  t.equal(await roleOf(boss), 'editor', 'a key of an owner may')
  await send('DELETE', `/Groups/${board}`)
  t.equal((await admin.send('POST', '/Groups', { displayName: 'board', members: [{ value: ann }] })).statusCode, 403)
  t.equal((await send('GET', '/Groups')).json().totalResults, 1)
})

t.test('the last owner keeps the role, and the other members of the group get theirs', async (t) => {
  const admin = await scimApp(t)
  const { store, addUser, send, provision, addGroup } = admin
  const { id: owner } = await addUser('owner@example.com', 'owner', 'org-a')
  await send('POST', '/Users', { userName: 'owner@example.com' })
  await store.scim.updateSettings('org-a', { groupRoles: [{ group: 'Staff', role: 'editor' }] })
  const ann = await provision('ann@example.com')
  const group = await addGroup('Staff')
  const reply = await admin.patch(`/Groups/${group}`, add(owner), add(ann))
  t.equal(reply.statusCode, 409)
  t.match(reply.json(), { scimType: 'mutability', detail: 'The organisation must keep an enabled owner' })
  t.equal((await store.members.get('org-a', owner))?.role, 'owner')
  t.equal((await store.members.get('org-a', ann))?.role, 'editor')
})

t.test('a new mapping applies at once to the members of the groups whose role changed', async (t) => {
  const admin = await scimApp(t)
  const roleOf = await withRoles(admin)
  const { app, store } = admin
  const [ann, bob] = [await admin.provision('ann@example.com'), await admin.provision('bob@example.com')]
  await admin.addGroup('Editors', [ann])
  await admin.addGroup('Readers', [bob])
  await store.members.update('org-a', bob, { role: 'admin' })
  const { access_token: token } = await admin.login('root@elsewhere.example')
  const change = (payload: object) =>
    app.inject({ method: 'PATCH', url: '/v1/admin/scim', headers: { authorization: `Bearer ${token}` }, payload })
  t.equal((await change({ group_roles: [{ group: 'editors', role: 'admin' }] })).statusCode, 200)
  t.same([await roleOf(ann), await roleOf(bob)], ['admin', 'admin'])
  t.equal((await change({ default_role: 'editor' })).statusCode, 200)
  t.same([await roleOf(ann), await roleOf(bob)], ['admin', 'admin'])
  t.equal((await change({ group_roles: [{ group: 'Readers', role: 'viewer' }] })).statusCode, 200)
  t.same([await roleOf(ann), await roleOf(bob)], ['editor', 'viewer'])
  const [entry] = (await admin.audited('scim.updated', 'org-a', 3)).filter(({ action }) => action === 'scim.updated')
  t.match(entry?.changes, { group_roles: [{ group: 'Readers', role: 'viewer' }], default_role: 'editor' })
})

t.test('concurrent pushes of groups leave each user with the highest role', async (t) => {
  const admin = await scimApp(t)
  const roleOf = await withRoles(admin)
  const groups = [await admin.addGroup('Editors'), await admin.addGroup('IT')]
  for (let round = 0; round < 5; round++) {
    const id = await admin.provision(`user-${round}@example.com`)
    const replies = await Promise.all(groups.map((group) => admin.patch(`/Groups/${group}`, add(id))))
    t.same(replies.map(({ statusCode }) => statusCode), [204, 204])
    t.equal(await roleOf(id), 'admin')
  }
})
