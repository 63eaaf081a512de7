import t from 'tap'

import { scimApp } from '../../../helpers/scim.js'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
const NAME = 'test.user@example.com'

t.test("Okta's requests for users, from the test of the connection to the deletion, have the documented replies", async (t) => {
  const { send, store } = await scimApp(t)
  const first = await send('GET', '/Users?startIndex=1&count=2')
  t.equal(first.statusCode, 200)
  t.equal(first.headers['content-type'], 'application/scim+json; charset=utf-8')
  t.same(first.json(), { schemas: [LIST], totalResults: 0, startIndex: 1, itemsPerPage: 0, Resources: [] })
  const search = `/Users?filter=${encodeURIComponent(`userName eq "${NAME}"`)}&startIndex=1&count=100`
  t.equal((await send('GET', search)).json().totalResults, 0)

  const body = {
    schemas: [USER],
    userName: NAME,
    name: { givenName: 'Test', familyName: 'User' },
    emails: [{ primary: true, value: NAME, type: 'work' }],
    displayName: 'Test User',
    locale: 'en-US',
    externalId: '00ujl29u0le5T6Aj10h7',
    groups: [],
    password: '1mz050nq',
    active: true
  }
  const created = await send('POST', '/Users', body)
  t.equal(created.statusCode, 201, created.body)
  const user = created.json()
  const { password: _password, groups: _groups, ...kept } = body
  t.match(user, { ...kept, roles: [{ value: 'viewer', primary: true }], groups: [], meta: { resourceType: 'User' } })
  t.notOk('password' in user, 'a password is never returned')
  t.equal(user.meta.location, `http://localhost:80/scim/v2/Users/${user.id}`)
  t.equal(created.headers.location, user.meta.location)
  const again = await send('POST', '/Users', body)
  t.equal(again.statusCode, 409)
  t.match(again.json(), { status: '409', scimType: 'uniqueness' })
  t.equal((await send('GET', search)).json().Resources[0].id, user.id)

  const path = `/Users/${user.id}`
  t.same((await send('GET', path)).json(), user)
  const renamed = await send('PUT', path, { ...user, name: { ...user.name, givenName: 'Another', middleName: 'Excited' } })
  t.equal(renamed.statusCode, 200)
  t.match(renamed.json(), { id: user.id, name: { givenName: 'Another', middleName: 'Excited', familyName: 'User' } })

  const operation = (active: boolean) => ({ schemas: [PATCH], Operations: [{ op: 'replace', value: { active } }] })
  t.equal((await send('PATCH', path, operation(false))).json().active, false)
  t.equal((await store.members.get('org-a', user.id))?.disabled, true)
  t.equal((await send('PATCH', path, operation(true))).json().active, true)
  t.equal((await send('PUT', path, { ...renamed.json<object>(), active: false })).json().active, false)
  t.equal((await send('DELETE', path)).statusCode, 204)
  const gone = await send('GET', path)
  t.equal(gone.statusCode, 404)
  t.match(gone.json(), { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '404', detail: 'Not found' })
})

t.test("Okta's requests for groups, from the push to the deletion, have the documented replies", async (t) => {
  const { send, provision } = await scimApp(t)
  const [ann, bob] = [await provision('ann@example.com'), await provision('bob@example.com')]
  t.equal((await send('GET', '/Groups?startIndex=1&count=100')).json().totalResults, 0)
  const created = await send('POST', '/Groups', { schemas: [GROUP], displayName: 'Test SCIMv2', members: [] })
  t.equal(created.statusCode, 201, created.body)
  const { id } = created.json()
  t.match(created.json(), { schemas: [GROUP], displayName: 'Test SCIMv2', members: [], meta: { resourceType: 'Group' } })
  const path = `/Groups/${id}`
  t.notOk('members' in (await send('GET', `${path}?excludedAttributes=members`)).json())
  const filter = encodeURIComponent('displayName eq "Test SCIMv2"')
  const [found] = (await send('GET', `/Groups?filter=${filter}&excludedAttributes=members`)).json().Resources
  t.same([found.id, 'members' in found], [id, false])

  const operate = async (...operations: object[]) =>
    (await send('PATCH', path, { schemas: [PATCH], Operations: operations })).statusCode
  const membersNow = async () =>
    ((await send('GET', path)).json().members as Array<{ value: string }>).map(({ value }) => value)
  t.equal(await operate({ op: 'replace', value: { id, displayName: 'Test SCIMv2 renamed' } }), 204)
  t.equal((await send('GET', path)).json().displayName, 'Test SCIMv2 renamed')
  t.equal(await operate({ op: 'add', path: 'members', value: [{ value: ann, display: 'ann@example.com' }] }), 204)
  t.same(await membersNow(), [ann])
  const swap = [{ op: 'remove', path: `members[value eq "${ann}"]` }, { op: 'add', path: 'members', value: [{ value: bob }] }]
  t.equal(await operate(...swap), 204)
  t.same(await membersNow(), [bob])
  t.equal(await operate({ op: 'replace', path: 'members', value: [{ value: ann }, { value: bob }] }), 204)
  t.same(await membersNow(), [ann, bob])
  t.match((await send('GET', `/Users/${ann}`)).json().groups, [{ value: id, display: 'Test SCIMv2 renamed' }])
  const put = await send('PUT', path, { schemas: [GROUP], id, displayName: 'Put', members: [{ value: bob }] })
  t.match(put.json(), { id, displayName: 'Put', members: [{ value: bob, display: 'bob@example.com' }] })
  t.equal((await send('DELETE', path)).statusCode, 204)
  t.equal((await send('GET', path)).statusCode, 404)
})
