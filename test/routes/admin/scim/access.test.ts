import t from 'tap'

import { ROLES } from '../../../../contracts/token-store/index.js'
import { generateApiKey } from '../../../../signing/api-key.js'
import { ERROR, scimApp } from '../../../helpers/scim.js'
import type { Method, ScimApp } from '../../../helpers/scim.js'

const PATCH = { Operations: [{ op: 'replace', value: { displayName: 'Other' } }] }

/** Every route, with a user and a group of the organisation `org-a`. */
async function routesOf ({ provision, addGroup }: ScimApp): Promise<Array<[Method, string, object?]>> {
  const user = `/Users/${await provision('ann@example.com')}`
  const group = `/Groups/${await addGroup('Staff')}`
  return [
    ['GET', '/ServiceProviderConfig'],
    ['GET', '/ResourceTypes'],
    ['GET', '/ResourceTypes/User'],
    ['GET', '/Schemas'],
    ['GET', '/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group'],
    ['GET', '/Users'],
    ['POST', '/Users', { userName: 'new@example.com' }],
    ['GET', user],
    ['PUT', user, { userName: 'other@example.com' }],
    ['PATCH', user, PATCH],
    ['GET', '/Groups'],
    ['POST', '/Groups', { displayName: 'New' }],
    ['GET', group],
    ['PUT', group, { displayName: 'Other' }],
    ['PATCH', group, PATCH],
    ['DELETE', group],
    ['DELETE', user]
  ]
}

t.test('only an API key of an admin or owner with the permission scim:manage is accepted, on each route', async (t) => {
  const admin = await scimApp(t)
  const { app, directory, store, clock } = admin
  const routes = await routesOf(admin)
  await admin.addUser('owner@example.com', 'owner', 'org-a')
  const { access_token: token } = await admin.login('owner@example.com')
  const expired = await directory('owner', { expiresAt: clock.now })
  const revoked = await directory()
  await store.apiKeys.revoke('org-a', revoked.keyId)
  const credentials: Array<[string, string | null, number]> = [
    ['no credential', null, 401],
    ['an unknown key', generateApiKey(), 401],
    ['an expired key', expired.key, 401],
    ['a revoked key', revoked.key, 401],
    ['an access token of an owner', token, 403],
    ['a key with other permissions', (await directory('owner', { permissions: ['sources:read'] })).key, 403],
    ['a key of an editor', (await directory('editor', { permissions: ['scim:manage'] })).key, 403],
    ['a key of a viewer', (await directory('viewer')).key, 403]
  ]
  for (const [method, path, payload] of routes) {
    for (const [title, credential, status] of credentials) {
      const reply = await app.inject({
        method,
        url: `/scim/v2${path}`,
        headers: credential === null ? {} : { authorization: `Bearer ${credential}` },
        ...payload === undefined ? {} : { payload }
      })
      t.equal(reply.statusCode, status, `${method} ${path} with ${title}`)
      t.equal(reply.headers['content-type'], 'application/scim+json; charset=utf-8')
      t.match(reply.json(), { schemas: [ERROR], status: String(status), detail: /./ })
      t.notOk('error' in reply.json())
    }
  }
  t.equal((await admin.send('GET', '/Users')).json().totalResults, 1, 'nothing has changed')
})

t.test('a key of the role admin with only the permission of SCIM calls each route', async (t) => {
  const admin = await scimApp(t)
  const { send } = await admin.directory('admin', { permissions: ['scim:manage'] })
  for (const [method, path, payload] of await routesOf(admin)) {
    const { statusCode, body } = await send(method, path, payload)
    t.ok(statusCode >= 200 && statusCode < 300, `${method} ${path}: ${statusCode} ${body}`)
  }
})

t.test('the key of another organisation finds no user and no group, and changes none', async (t) => {
  const admin = await scimApp(t)
  const routes = await routesOf(admin)
  const other = await admin.directory('owner', { orgId: 'org-b' })
  const before = [(await admin.send('GET', '/Users')).json(), (await admin.send('GET', '/Groups')).json()]
  for (const [method, path, payload] of routes) {
    if (!/^\/(?:Users|Groups)\//.test(path)) continue
    const reply = await other.send(method, path, payload)
    t.equal(reply.statusCode, 404, `${method} ${path}`)
    t.match(reply.json(), { schemas: [ERROR], status: '404' })
  }
  const [user, group] = ['/Users/', '/Groups/'].map((start) =>
    routes.find(([, path]) => path.startsWith(start))?.[1].slice(start.length)
  )
  for (const filter of [`id eq "${user}"`, 'userName eq "ann@example.com"', 'active eq true']) {
    t.equal((await other.send('GET', `/Users?filter=${encodeURIComponent(filter)}`)).json().totalResults, 0, filter)
  }
  for (const filter of [`id eq "${group}"`, 'displayName eq "Staff"', `members eq "${user}"`]) {
    t.equal((await other.send('GET', `/Groups?filter=${encodeURIComponent(filter)}`)).json().totalResults, 0, filter)
  }
  const own = await other.addGroup('Staff')
  const add = await other.patch(`/Groups/${own}`, { op: 'add', path: 'members', value: [{ value: user }] })
  t.equal(add.statusCode, 400)
  t.match(add.json(), { scimType: 'invalidValue' })
  t.equal((await other.send('POST', '/Users', { userName: 'ann@example.com' })).statusCode, 400, 'domain of another')
  t.same([(await admin.send('GET', '/Users')).json(), (await admin.send('GET', '/Groups')).json()], before)
})

t.test('a key beyond its rate limit gets 429 with Retry-After in the form of SCIM, and other keys do not', async (t) => {
  const { send, directory } = await scimApp(t, { scim: { userRateLimit: { max: 2, timeWindow: 60_000 } } })
  const other = await directory()
  t.equal((await send('GET', '/Users')).statusCode, 200)
  t.equal((await send('GET', '/Groups')).statusCode, 200)
  const refused = await send('GET', '/Users')
  t.equal(refused.statusCode, 429)
  t.match(refused.json(), { schemas: [ERROR], status: '429' })
  t.ok(Number(refused.headers['retry-after']) > 0)
  t.equal((await other.send('GET', '/Users')).statusCode, 200)
})

t.test('the settings of roles are read by admins and changed by owners, of the own organisation', async (t) => {
  const admin = await scimApp(t)
  const { app, store } = admin
  for (const role of ROLES) {
    await admin.addUser(`${role}@example.com`, role, 'org-a')
    const { access_token: token } = await admin.login(`${role}@example.com`)
    const call = (method: 'GET' | 'PATCH', payload?: object) =>
      app.inject({
        method,
        url: '/v1/admin/scim',
        headers: { authorization: `Bearer ${token}` },
        ...payload === undefined ? {} : { payload }
      })
    const may = { read: role === 'owner' || role === 'admin', change: role === 'owner' }
    t.equal((await call('GET')).statusCode, may.read ? 200 : 403, role)
    const groupRoles = [{ group: 'Staff', role: 'editor' as const }]
    const changed = await call('PATCH', { group_roles: groupRoles, default_role: 'editor' })
    t.equal(changed.statusCode, may.change ? 200 : 403, role)
    if (!may.change) continue
    t.same((await call('GET')).json(), { group_roles: groupRoles, default_role: 'editor', base_path: '/scim/v2' })
    for (const payload of [
      { group_roles: [{ group: 'A', role: 'editor' }, { group: 'a', role: 'viewer' }] },
      { group_roles: [{ group: '', role: 'editor' }] },
      { group_roles: [{ group: 'A', role: 'emperor' }] },
      { default_role: null },
      { defaultRole: 'viewer' }
    ]) {
      const refused = await call('PATCH', payload)
      t.equal(refused.statusCode, 400, JSON.stringify(payload))
      t.match(refused.json(), { error: { code: 'INVALID_REQUEST' } })
    }
  }
  t.same(await store.scim.settings('org-b'), { groupRoles: [], defaultRole: 'viewer' })
})
