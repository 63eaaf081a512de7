import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import type { ScimCondition, ScimUserField, ScimUserFields, TokenStore } from '../../contracts/token-store/index.js'
import { aDigest, aSession, AWKWARD_STRINGS } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

/** Provisions a member who is also a SCIM user, and returns the id. */
export async function aScimUser (
  store: TokenStore,
  email: string,
  fields: Partial<ScimUserFields> & { orgId?: string } = {}
): Promise<string> {
  const { orgId = 'org-a', userName = email, externalId = null, attributes = {} } = fields
  const { member } = await store.members.provision({ orgId, email, role: 'viewer' })
  await store.scim.createUser({ orgId, userId: member.userId, userName, externalId, attributes })
  return member.userId
}

export async function scimContract (t: ContractTest, create: CreateStore): Promise<void> {
  async function createWithOrganisations () {
    const { store, clock } = await create()
    for (const id of ['org-a', 'org-b']) await store.organisations.create({ id, name: id })
    return { store, clock, scim: store.scim }
  }

  await t.test('a provisioned user is read with the email, the role and the state of the member', async () => {
    const { store, clock, scim } = await createWithOrganisations()
    const { member: { userId } } = await store.members.provision({ orgId: 'org-a', email: 'a@x.org', role: 'editor' })
    assert.equal(await scim.getUser('org-a', userId), null)
    const attributes = { name: { givenName: 'Ann\u0000\ud800' }, emails: [{ value: 'a@x.org', primary: true }] }
    const fields = { userName: 'Ann', externalId: 'ext-1', attributes }
    const user = await scim.createUser({ orgId: 'org-a', userId, ...fields })
    assert.deepEqual(user, {
      ...fields,
      orgId: 'org-a',
      userId,
      email: 'a@x.org',
      role: 'editor',
      disabled: false,
      version: 1,
      createdAt: user.createdAt,
      updatedAt: user.createdAt
    })
    assert.ok(Math.abs(user.createdAt - clock.now()) < 10_000)
    assert.deepEqual(await scim.getUser('org-a', userId), user)
    await store.members.update('org-a', userId, { role: 'admin', disabled: true })
    await store.users.replaceEmail(userId, { from: 'a@x.org', to: 'b@x.org' })
    assert.deepEqual(await scim.getUser('org-a', userId), { ...user, email: 'b@x.org', role: 'admin', disabled: true })
  })

  await t.test('user names are unique in an organisation without case, and only members are provisioned', async () => {
    const { store, scim } = await createWithOrganisations()
    const userId = await aScimUser(store, 'a@x.org', { userName: 'Ann' })
    const other = await store.members.provision({ orgId: 'org-a', email: 'b@x.org', role: 'viewer' })
    const empty = { externalId: null, attributes: {} }
    for (const [id, userName] of [[other.member.userId, 'aNN'], [userId, 'Other'], ['unknown', 'Third']] as const) {
      await assert.rejects(scim.createUser({ orgId: 'org-a', userId: id, userName, ...empty }), { code: 'CONFLICT' })
    }
    await assert.rejects(scim.createUser({ orgId: 'org-b', userId, userName: 'Ann', ...empty }), { code: 'CONFLICT' })
    await aScimUser(store, 'a@x.org', { userName: 'Ann', orgId: 'org-b' })
    assert.equal((await scim.listUsers('org-a', { filter: [], offset: 0, limit: 5 })).total, 1)
  })

  await t.test('of concurrent changes of one version exactly one applies', async () => {
    const { store, clock, scim } = await createWithOrganisations()
    const userId = await aScimUser(store, 'a@x.org')
    await aScimUser(store, 'b@x.org', { userName: 'Taken' })
    await clock.advance(5)
    const change = (userName: string, version = 1) =>
      scim.updateUser('org-a', userId, { userName, externalId: 'e', attributes: { title: userName }, version })
    await assert.rejects(change('TAKEN'), { code: 'CONFLICT' })
    const results = await Promise.all(['One', 'Two', 'Three'].map((name) => change(name)))
    const [winner, ...more] = results.filter((result) => result !== 'stale')
    assert.equal(more.length, 0)
    assert.deepEqual(await scim.getUser('org-a', userId), winner)
    assert.equal(winner?.version, 2)
    assert.ok(winner.updatedAt > winner.createdAt)
    for (const [orgId, id] of [['org-b', userId], ['org-a', 'unknown'], ['', '\u0000']] as const) {
      const fields = { userName: 'x', externalId: null, attributes: {}, version: 1 }
      assert.equal(await scim.updateUser(orgId, id, fields), null)
      assert.equal(await scim.getUser(orgId, id), null)
    }
  })

  await t.test('a filter finds the users of one organisation that meet all conditions', async () => {
    const { store, scim } = await createWithOrganisations()
    const name = (givenName: string, familyName: string) =>
      ({ displayName: `${givenName} 100%`, name: { givenName, familyName } })
    const ann = await aScimUser(store, 'ann@x.org', {
      userName: 'Ann.Lee', externalId: 'E1', attributes: name('Änn', 'Lee')
    })
    const bob = await aScimUser(store, 'bob@x.org', { userName: 'bob_b', attributes: name('Bob', 'Lee') })
    await aScimUser(store, 'eve@x.org', { orgId: 'org-b', userName: 'Ann.Lee', externalId: 'E1' })
    await store.members.update('org-a', bob, { disabled: true })
    type Text = Exclude<ScimUserField, 'active'>
    const by = (operator: 'eq' | 'co' | 'sw', field: Text | 'active', value: string): ScimCondition<ScimUserField> =>
      ({ operator, field, value })
    const has = (field: ScimUserField) => ({ operator: 'pr', field } as const)
    const table: Array<[Array<ScimCondition<ScimUserField>>, string[]]> = [
      [[], [ann, bob]],
      [[by('eq', 'userName', 'ANN.LEE')], [ann]],
      [[by('eq', 'userName', 'ann')], []],
      [[by('eq', 'id', bob)], [bob]],
      [[by('eq', 'externalId', 'E1')], [ann]],
      [[by('eq', 'externalId', 'e1')], []],
      [[by('co', 'externalId', 'e')], [ann]],
      [[by('eq', 'email', 'BOB@x.org')], [bob]],
      [[by('eq', 'displayName', 'BOB 100%')], [bob]],
      [[by('co', 'displayName', '0%')], [ann, bob]],
      [[by('co', 'userName', '%')], []],
      [[by('co', 'userName', '_')], [bob]],
      [[by('sw', 'userName', 'b_b')], []],
      [[by('sw', 'givenName', 'äN')], [ann]],
      [[by('sw', 'familyName', 'ee')], []],
      [[by('co', 'familyName', 'EE')], [ann, bob]],
      [[by('eq', 'familyName', 'lee'), by('eq', 'active', 'true')], [ann]],
      [[by('eq', 'active', 'false')], [bob]],
      [[has('externalId')], [ann]],
      [[has('active'), has('givenName')], [ann, bob]],
      [[by('eq', 'userName', "' or true --")], []]
    ]
    for (const [filter, ids] of table) {
      const { data, total } = await scim.listUsers('org-a', { filter, offset: 0, limit: 10 })
      assert.deepEqual([data.map(({ userId }) => userId), total], [ids, ids.length], JSON.stringify(filter))
    }
  })

  await t.test('a user is found by exactly the strings that were stored', async () => {
    const { store, scim } = await createWithOrganisations()
    const names = new Set(AWKWARD_STRINGS.map((text) => `n${text}`.toLowerCase()))
    const ids = new Map<string, string>()
    for (const text of names) {
      ids.set(text, await aScimUser(store, `${aDigest()}@x.org`, { userName: text, externalId: text }))
    }
    for (const [value, id] of ids) {
      for (const field of ['userName', 'externalId'] as const) {
        const query = { filter: [{ field, operator: 'eq' as const, value }], offset: 0, limit: 3 }
        const { data } = await scim.listUsers('org-a', query)
        const found = data.map((user) => [user.userId, user[field]])
        assert.deepEqual(found, [[id, value]], JSON.stringify(value))
      }
    }
  })

  await t.test('pages of users are in the order of their creation and tell the total', async () => {
    const { store, clock, scim } = await createWithOrganisations()
    const ids: string[] = []
    for (let at = 0; at < 5; at++) {
      ids.push(await aScimUser(store, `${at}@x.org`))
      if (at % 2 === 0) await clock.advance(2)
    }
    for (const [offset, limit] of [[0, 2], [2, 2], [4, 2], [5, 2], [0, 0], [900_000, 1], [0, 200]] as const) {
      const { data, total } = await scim.listUsers('org-a', { filter: [], offset, limit })
      assert.deepEqual(data.map(({ userId }) => userId), ids.slice(offset, offset + limit))
      assert.equal(total, 5)
    }
  })

  await t.test('a removed member is no provisioned user and no member of a group any more', async () => {
    const { store, clock, scim } = await createWithOrganisations()
    const userId = await aScimUser(store, 'a@x.org')
    await aScimUser(store, 'a@x.org', { orgId: 'org-b' })
    const groups = new Map<string, string>()
    for (const orgId of ['org-a', 'org-b']) {
      const group = { orgId, displayName: 'Staff', externalId: null, members: [userId] }
      groups.set(orgId, (await scim.createGroup(group)).id)
    }
    await store.sessions.start(aSession(userId, clock))
    await store.members.remove('org-a', userId)
    const membersIn = async (orgId: string) =>
      (await scim.groupMembers(orgId, [groups.get(orgId) ?? ''])).get(groups.get(orgId) ?? '')?.length
    assert.deepEqual([await scim.getUser('org-a', userId), await membersIn('org-a')], [null, 0])
    assert.deepEqual([(await scim.getUser('org-b', userId))?.userId, await membersIn('org-b')], [userId, 1])
    await store.members.add({ orgId: 'org-a', userId, role: 'viewer' })
    assert.deepEqual(await scim.standings('org-a', [userId]), [])
    assert.equal((await scim.standings('org-b', [userId, userId, 'unknown', '\u0000'])).length, 1)
  })

  await t.test('settings are separate for each organisation, and a patch keeps what it leaves out', async () => {
    const { scim } = await createWithOrganisations()
    const none = { groupRoles: [], defaultRole: 'viewer' }
    assert.deepEqual(await scim.settings('org-a'), none)
    assert.deepEqual(await scim.updateSettings('org-a', {}), none)
    const groupRoles = [{ group: 'Admins \u0000', role: 'admin' as const }]
    assert.deepEqual(await scim.updateSettings('org-a', { groupRoles }), { groupRoles, defaultRole: 'viewer' })
    const both = { groupRoles, defaultRole: 'editor' }
    assert.deepEqual(await scim.updateSettings('org-a', { defaultRole: 'editor' }), both)
    assert.deepEqual(await scim.settings('org-a'), both)
    assert.deepEqual(await scim.settings('org-b'), none)
    await assert.rejects(scim.updateSettings('unknown', { groupRoles }), { code: 'CONFLICT' })
  })
}
