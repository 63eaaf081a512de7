import t from 'tap'

import { scimApp } from '../../../helpers/scim.js'

const work = (value: string) => ({ emails: [{ value, type: 'work', primary: true }] })

t.test('only emails of domains that the organisation has proved are provisioned and changed to', async (t) => {
  const { send, patch, provision, prove, store } = await scimApp(t)
  await prove('other.example', 'org-b')
  await store.ssoDomains.add({ orgId: 'org-a', domain: 'claimed.example', token: 'token' })
  const refusals = [
    ['a@other.example', /not proved the domain/],
    ['a@claimed.example', /not proved the domain/],
    ['a@sub.example.com', /not proved the domain/],
    ['a@nobody.example', /not proved the domain/],
    ['not an email', /needs a work email/],
    ['a@b@example.com', /needs a work email/]
  ] as const
  for (const [userName, detail] of refusals) {
    const reply = await send('POST', '/Users', { userName })
    t.equal(reply.statusCode, 400, userName)
    t.match(reply.json(), { scimType: 'invalidValue', detail })
  }
  t.equal((await send('POST', '/Users', { userName: 'x', ...work('a@other.example') })).statusCode, 400)
  t.equal((await send('POST', '/Users', { userName: 'x', ...work('nonsense') })).statusCode, 400)
  t.equal(await store.users.count(), 0, 'no account is left')

  const id = await provision('ann', work('Ann@EXAMPLE.com'))
  t.equal((await store.users.get(id))?.email, 'ann@example.com')
  for (const email of ['a@other.example', 'a@claimed.example']) {
    const reply = await patch(`/Users/${id}`, { op: 'replace', path: 'emails[type eq "work"].value', value: email })
    t.equal(reply.statusCode, 400, email)
    t.equal((await send('PUT', `/Users/${id}`, { userName: 'ann', ...work(email) })).statusCode, 400, email)
  }
  t.equal((await send('GET', `/Users/${id}`)).json().emails[0].value, 'Ann@EXAMPLE.com')
  await prove('second.example')
  const moved = await patch(`/Users/${id}`, { op: 'Replace', path: 'emails[type eq "work"].value', value: 'a@second.example' })
  t.equal(moved.statusCode, 200, moved.body)
  t.equal((await store.users.get(id))?.email, 'a@second.example')
})

t.test('a domain that the host has configured counts as proved', async (t) => {
  const { app, send } = await scimApp(t)
  app.adminLogins.configuredDomains = (domain) =>
    domain === 'host.example' ? { orgId: 'org-a', sso: 'optional' } : null
  t.equal((await send('POST', '/Users', { userName: 'a@host.example' })).statusCode, 201)
  t.equal((await send('POST', '/Users', { userName: 'b@example.com' })).statusCode, 201, 'the store is asked too')
})

t.test('a taken userName or email is 409 uniqueness, in any case, and leaves no account', async (t) => {
  const { send, patch, provision, store } = await scimApp(t)
  const ann = await provision('ann@example.com')
  const bob = await provision('bob', work('bob@example.com'))
  const outcomes = [
    await send('POST', '/Users', { userName: 'ANN@example.com' }),
    await send('POST', '/Users', { userName: 'BOB', ...work('new@example.com') }),
    await send('POST', '/Users', { userName: 'new', ...work('Bob@example.com') }),
    await send('PUT', `/Users/${ann}`, { userName: 'Bob' }),
    await patch(`/Users/${ann}`, { op: 'replace', path: 'userName', value: 'bob' }),
    await patch(`/Users/${ann}`, { op: 'add', value: work('bob@example.com') })
  ]
  for (const [at, reply] of outcomes.entries()) {
    t.equal(reply.statusCode, 409, `${at}: ${reply.body}`)
    t.match(reply.json(), { status: '409', scimType: 'uniqueness' }, String(at))
  }
  t.equal(await store.users.count(), 2)
  t.same((await send('GET', `/Users/${ann}`)).json().userName, 'ann@example.com')
  t.equal((await send('GET', `/Users/${bob}`)).json().userName, 'bob')
})

t.test('concurrent requests provision a person once', async (t) => {
  const { send, store } = await scimApp(t)
  const replies = await Promise.all(Array.from({ length: 8 }, () => send('POST', '/Users', { userName: 'ann@example.com' })))
  t.same(replies.map(({ statusCode }) => statusCode).sort(), [201, ...Array.from({ length: 7 }, () => 409)])
  t.equal((await send('GET', '/Users')).json().totalResults, 1)
  t.equal((await store.members.list('org-a', { limit: 10 })).data.length, 1)
})

t.test('a member who was not provisioned is adopted with the role, and is not listed before', async (t) => {
  const { addUser, send, store, audited } = await scimApp(t)
  const { id } = await addUser('ann@example.com', 'editor', 'org-a')
  await store.members.update('org-a', id, { disabled: true })
  t.equal((await send('GET', '/Users')).json().totalResults, 0)
  t.equal((await send('GET', `/Users/${id}`)).statusCode, 404)
  t.equal((await send('DELETE', `/Users/${id}`)).statusCode, 404)
  const reply = await send('POST', '/Users', { userName: 'ann', ...work('ann@example.com') })
  t.equal(reply.statusCode, 201)
  t.match(reply.json(), { id, active: true, roles: [{ value: 'editor' }] })
  t.equal((await store.members.get('org-a', id))?.disabled, false)
  const [entry] = (await audited('user.provisioned', 'org-a')).filter(({ action }) => action === 'user.provisioned')
  t.match(entry?.changes, { email: 'ann@example.com', role: 'editor', adopted: true })
})

t.test('an account of another organisation becomes a member and stays one of the other', async (t) => {
  const { addUser, send, store } = await scimApp(t)
  const { id } = await addUser('ann@example.com', 'owner', 'org-b')
  t.match((await send('POST', '/Users', { userName: 'ann@example.com', active: false })).json(), { id, active: false })
  t.match(await store.members.ofUser(id), [{ orgId: 'org-b', role: 'owner', disabled: false },
    { orgId: 'org-a', role: 'viewer', disabled: true }])
  t.equal((await send('DELETE', `/Users/${id}`)).statusCode, 204)
  t.match(await store.members.ofUser(id), [{ orgId: 'org-b' }])
})

t.test('a disabled user is logged out at once and can log in again after active: true', async (t) => {
  const { addUser, login, get, patch, send } = await scimApp(t)
  const { id } = await addUser('ann@example.com', 'editor', 'org-a')
  await send('POST', '/Users', { userName: 'ann@example.com' })
  const { access_token: token } = await login('ann@example.com')
  t.equal((await get('me', token)).statusCode, 200)
  t.equal((await patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: 'False' })).statusCode, 200)
  t.equal((await get('me', token)).statusCode, 401)
  await t.rejects(login('ann@example.com'))
  await patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: true })
  t.equal((await get('me', token)).statusCode, 401, 'the session has ended')
  const { access_token: next } = await login('ann@example.com')
  t.equal((await send('DELETE', `/Users/${id}`)).statusCode, 204)
  t.equal((await get('me', next)).statusCode, 401)
})

t.test('the last enabled owner is neither disabled nor removed', async (t) => {
  const { addUser, send, patch, store } = await scimApp(t)
  const { id } = await addUser('owner@example.com', 'owner', 'org-a')
  await send('POST', '/Users', { userName: 'owner@example.com' })
  const outcomes = [
    await patch(`/Users/${id}`, { op: 'replace', value: { active: false } }),
    await send('PUT', `/Users/${id}`, { userName: 'owner@example.com', active: false }),
    await send('DELETE', `/Users/${id}`)
  ]
  for (const reply of outcomes) {
    t.equal(reply.statusCode, 409)
    t.match(reply.json(), { scimType: 'mutability', detail: 'The organisation must keep an enabled owner' })
  }
  t.match(await store.members.get('org-a', id), { role: 'owner', disabled: false })
  await addUser('second@example.com', 'owner', 'org-a')
  t.equal((await send('DELETE', `/Users/${id}`)).statusCode, 204)
})

t.test('a key does not change, disable, remove or adopt a member with a role above its own', async (t) => {
  const { addUser, directory, send, store } = await scimApp(t)
  await addUser('first@example.com', 'owner', 'org-a')
  const { id } = await addUser('owner@example.com', 'owner', 'org-a')
  const admin = await directory('admin', { permissions: ['scim:manage'] })
  const before = await store.members.get('org-a', id)
  const adopted = await admin.send('POST', '/Users', { userName: 'owner@example.com', active: false })
  t.equal(adopted.statusCode, 403)
  t.equal((await send('GET', '/Users')).json().totalResults, 0)
  await send('POST', '/Users', { userName: 'owner@example.com' })
  for (const reply of [
    await admin.patch(`/Users/${id}`, { op: 'replace', value: { active: false } }),
    await admin.patch(`/Users/${id}`, { op: 'replace', value: { displayName: 'X', ...work('x@example.com') } }),
    await admin.send('PUT', `/Users/${id}`, { userName: 'other@example.com' }),
    await admin.send('DELETE', `/Users/${id}`)
  ]) {
    t.equal(reply.statusCode, 403)
    t.match(reply.json(), { status: '403', detail: /the role admin, .* the role owner/ })
  }
  t.same(await store.members.get('org-a', id), before)
  await store.scim.updateSettings('org-a', { defaultRole: 'owner' })
  t.equal((await admin.send('POST', '/Users', { userName: 'new@example.com' })).statusCode, 403)
  t.equal((await send('POST', '/Users', { userName: 'new@example.com' })).statusCode, 201, 'a key of an owner may')
})

t.test('a full organisation gets no more users, and the reply says so', async (t) => {
  const { send, store } = await scimApp(t)
  await store.organisations.update('org-a', { maxUsers: 1 })
  t.equal((await send('POST', '/Users', { userName: 'a@example.com' })).statusCode, 201)
  const reply = await send('POST', '/Users', { userName: 'b@example.com' })
  t.equal(reply.statusCode, 409)
  t.match(reply.json(), { detail: /no more users \(at most 1\)/, scimType: undefined })
})

t.test('concurrent PATCHes of one user all apply', async (t) => {
  const { patch, provision, send } = await scimApp(t)
  const id = await provision('ann@example.com')
  const paths = ['title', 'nickName', 'locale', 'name.givenName']
  const replies = await Promise.all(paths.map((path) => patch(`/Users/${id}`, { op: 'add', path, value: path })))
  t.same(replies.map(({ statusCode }) => statusCode), [200, 200, 200, 200])
  t.match((await send('GET', `/Users/${id}`)).json(), {
    title: 'title', nickName: 'nickName', locale: 'locale', name: { givenName: 'name.givenName' }
  })
})

t.test('each change is audited with the key as its actor, and without values of attributes', async (t) => {
  const { send, patch, provision, addGroup, audited, keyId, clock } = await scimApp(t)
  const id = await provision('ann@example.com', { title: 'secret title' })
  const steps: Array<() => Promise<unknown>> = [
    () => patch(`/Users/${id}`, { op: 'add', path: 'title', value: 'secret' }),
    () => patch(`/Users/${id}`, { op: 'add', value: work('new@example.com') }),
    () => patch(`/Users/${id}`, { op: 'replace', value: { active: false } }),
    () => patch(`/Users/${id}`, { op: 'replace', value: { active: false } }),
    () => addGroup('Staff', [id]),
    async () => {
      const [group] = (await send('GET', '/Groups')).json().Resources
      await patch(`/Groups/${group.id}`, { op: 'replace', value: { displayName: 'Crew' } })
      await send('DELETE', `/Groups/${group.id}`)
    },
    () => send('DELETE', `/Users/${id}`)
  ]
  for (const step of steps) {
    clock.now += 10
    await step()
  }
  const entries = (await audited('user.deleted', 'org-a')).toReversed()
  t.same(entries.map(({ action, changes }) => [action, changes]), [
    ['user.provisioned', {
      email: 'ann@example.com', user_name: 'ann@example.com', role: 'viewer', active: true, adopted: false
    }],
    ['user.updated', { attributes: ['title'] }],
    ['user.updated', { email: { from: 'ann@example.com', to: 'new@example.com' }, attributes: ['emails'] }],
    ['user.disabled', { disabled: { from: false, to: true } }],
    ['group.created', { display_name: 'Staff', members: 1 }],
    ['group.updated', { display_name: 'Crew', renamed_from: 'Staff', touched_users: 1 }],
    ['group.deleted', { display_name: 'Crew', members: 1 }],
    ['user.deleted', { email: 'new@example.com', role: 'viewer' }]
  ])
  for (const { userId, userEmail, resourceType } of entries) {
    t.same([userId, userEmail], [keyId, null])
    t.match(resourceType, /^(?:user|group)$/)
  }
})
