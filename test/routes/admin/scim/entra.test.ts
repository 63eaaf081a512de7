import t from 'tap'

import { scimApp } from '../../../helpers/scim.js'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const WORK = 'emails[type eq "work"].value'

/** A new user as Entra ID sends it. */
const BODY = {
  schemas: [USER, ENTERPRISE],
  externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
  userName: 'Test_User_ab6490ee',
  active: true,
  emails: [{ primary: true, type: 'work', value: 'Test_User_fd0ea19b@example.com' }],
  meta: { resourceType: 'User' },
  name: { formatted: 'givenName familyName', familyName: 'familyName', givenName: 'givenName' },
  roles: []
}

t.test('a new user of Entra ID is created, found by each matching attribute, and unknown ones are an empty list', async (t) => {
  const { send } = await scimApp(t)
  const missing = await send('GET', `/Users?filter=${encodeURIComponent('userName eq "non-existent user"')}`)
  t.equal(missing.statusCode, 200, 'the test of the connection')
  t.match(missing.json(), { totalResults: 0, Resources: [] })
  const created = await send('POST', '/Users', BODY, { 'content-type': 'application/scim+json; charset=utf-8' })
  t.equal(created.statusCode, 201, created.body)
  const { id } = created.json()
  for (const filter of [
    'userName eq "TEST_user_ab6490ee"',
    'externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"',
    'emails[type eq "work"].value eq "test_user_fd0ea19b@example.com"',
    'emails.value eq "Test_User_fd0ea19b@example.com"',
    `id eq "${id}"`,
    'active eq true and name.familyName sw "family"',
    'urn:ietf:params:scim:schemas:core:2.0:User:userName co "ab64"'
  ]) {
    const found = await send('GET', `/Users?filter=${encodeURIComponent(filter)}`)
    t.same(found.json().Resources?.map((user: { id: string }) => user.id), [id], filter)
  }
})

t.test('each form of a PATCH of Entra ID changes exactly the attribute that it names', async (t) => {
  const { send, patch, store } = await scimApp(t)
  const { id } = (await send('POST', '/Users', BODY)).json()
  const path = `/Users/${id}`
  const table: Array<[operation: object, change: object]> = [
    [{ op: 'Replace', path: 'active', value: 'False' }, { active: false }],
    [{ op: 'Replace', path: 'active', value: 'True' }, { active: true }],
    [{ op: 'replace', value: { active: false } }, { active: false }],
    [{ op: 'Replace', value: { active: 'true' } }, { active: true }],
    [{ op: 'Replace', path: WORK, value: 'updated@example.com' },
      { emails: [{ primary: true, type: 'work', value: 'updated@example.com' }] }],
    [{ op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+1 555' },
      { phoneNumbers: [{ type: 'mobile', value: '+1 555' }] }],
    [{ op: 'Replace', path: 'phoneNumbers[type eq "work"].value', value: '+1 777' },
      { phoneNumbers: [{ type: 'mobile', value: '+1 555' }, { type: 'work', value: '+1 777' }] }],
    [{ op: 'Add', path: 'name.givenName', value: 'Ann' }, { name: { givenName: 'Ann', familyName: 'familyName' } }],
    [{ op: 'Replace', value: { displayName: 'Ann Lee', 'name.familyName': 'Lee' } },
      { displayName: 'Ann Lee', name: { givenName: 'Ann', familyName: 'Lee' } }],
    [{ op: 'Add', path: `${ENTERPRISE}:department`, value: 'Sales' }, { [ENTERPRISE]: { department: 'Sales' } }],
    [{ op: 'Add', path: `${ENTERPRISE}:manager`, value: 'm-1' },
      { [ENTERPRISE]: { department: 'Sales', manager: { value: 'm-1' } } }],
    [{ op: 'Replace', value: { [`${ENTERPRISE}:employeeNumber`]: '7', [ENTERPRISE]: { department: 'IT' } } },
      { [ENTERPRISE]: { employeeNumber: '7', department: 'IT', manager: { value: 'm-1' } } }],
    [{ op: 'Remove', path: `${ENTERPRISE}:manager` }, { [ENTERPRISE]: { employeeNumber: '7', department: 'IT' } }],
    [{ op: 'Remove', path: 'phoneNumbers[type eq "mobile"]' }, { phoneNumbers: [{ type: 'work', value: '+1 777' }] }],
    [{ op: 'Add', path: 'addresses[type eq "work"].formatted', value: 'One Way\nTown' },
      { addresses: [{ type: 'work', formatted: 'One Way\nTown' }] }],
    [{ op: 'Add', path: 'roles', value: [{ value: 'owner' }] }, { roles: [{ value: 'viewer', primary: true }] }],
    [{ op: 'Replace', path: 'userName', value: 'Renamed' }, { userName: 'Renamed' }]
  ]
  for (const [operation, change] of table) {
    const before = (await send('GET', path)).json()
    const reply = await patch(path, operation)
    t.equal(reply.statusCode, 200, `${JSON.stringify(operation)} ${reply.body}`)
    const after = (await send('GET', path)).json()
    t.same(reply.json(), after)
    t.match(after, change, JSON.stringify(operation))
    const names = [...Object.keys(change), 'meta', 'schemas']
    const rest = (user: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(user).filter(([name]) => !names.includes(name)))
    t.same(rest(after), rest(before), `${JSON.stringify(operation)} changes nothing else`)
  }
  t.equal((await store.users.get(id))?.email, 'updated@example.com')
  t.same((await send('GET', path)).json().schemas, [USER, ENTERPRISE])
})

t.test('each form in which Entra ID adds and removes members of a group works, and repeats change nothing', async (t) => {
  const { send, patch, provision, addGroup } = await scimApp(t)
  const [ann, bob, cyd] = [await provision('ann@example.com'), await provision('bob@example.com'),
    await provision('cyd@example.com')]
  const path = `/Groups/${await addGroup('Staff')}`
  const table: Array<[operation: object, members: string[]]> = [
    [{ op: 'Add', path: 'members', value: [{ $ref: null, value: ann }] }, [ann]],
    [{ op: 'Add', path: 'members', value: [{ value: ann }, { value: bob }] }, [ann, bob]],
    [{ op: 'add', value: { members: [{ value: cyd }] } }, [ann, bob, cyd]],
    [{ op: 'Remove', path: 'members', value: [{ $ref: null, value: ann }] }, [bob, cyd]],
    [{ op: 'Remove', path: 'members', value: [{ value: ann }] }, [bob, cyd]],
    [{ op: 'Remove', path: `members[value eq "${bob}"]` }, [cyd]],
    [{ op: 'Replace', path: 'displayName', value: 'Crew' }, [cyd]],
    [{ op: 'Replace', path: 'members', value: [{ value: ann }] }, [ann]],
    [{ op: 'Remove', path: 'members' }, []]
  ]
  for (const [operation, members] of table) {
    for (const time of ['once', 'twice']) {
      const reply = await patch(path, operation)
      t.equal(reply.statusCode, 204, `${time}: ${JSON.stringify(operation)} ${reply.body}`)
      const now = (await send('GET', path)).json().members as Array<{ value: string }>
      t.same(now.map(({ value }) => value), members, `${time}: ${JSON.stringify(operation)}`)
    }
  }
  const filter = encodeURIComponent('displayName eq "crew"')
  t.equal((await send('GET', `/Groups?excludedAttributes=members&filter=${filter}`)).json().totalResults, 1)
})
