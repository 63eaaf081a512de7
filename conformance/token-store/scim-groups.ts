import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import type { ScimCondition, ScimGroupField } from '../../contracts/token-store/index.js'
import type { CreateStore } from './fixtures.js'
import { aScimUser } from './scim.js'

export async function scimGroupContract (t: ContractTest, create: CreateStore): Promise<void> {
  async function createWithUsers () {
    const { store, clock } = await create()
    for (const id of ['org-a', 'org-b']) await store.organisations.create({ id, name: id })
    const [ann, bob, cyd] = [await aScimUser(store, 'ann@x.org'), await aScimUser(store, 'Bob@x.org'),
      await aScimUser(store, 'cyd@x.org')]
    const { scim } = store
    const add = (displayName: string, members: string[] = [], orgId = 'org-a', quota?: number) =>
      scim.createGroup({ orgId, displayName, externalId: null, members, ...quota === undefined ? {} : { quota } })
    const membersOf = async (id: string, orgId = 'org-a') =>
      (await scim.groupMembers(orgId, [id])).get(id)?.map(({ userId }) => userId)
    return { store, clock, scim, ann, bob, cyd, add, membersOf }
  }

  await t.test('a group is created with its members, who are listed in the order of their names', async () => {
    const { scim, clock, ann, bob, add } = await createWithUsers()
    const group = await add('Staff', [bob, ann, bob])
    assert.deepEqual(group, {
      id: group.id,
      orgId: 'org-a',
      displayName: 'Staff',
      externalId: null,
      createdAt: group.createdAt,
      updatedAt: group.createdAt
    })
    assert.ok(Math.abs(group.createdAt - clock.now()) < 10_000)
    assert.deepEqual(await scim.getGroup('org-a', group.id), group)
    const empty = await add('Empty')
    assert.deepEqual(
      await scim.groupMembers('org-a', [group.id, empty.id, 'unknown']),
      new Map([
        [group.id, [{ userId: ann, userName: 'ann@x.org' }, { userId: bob, userName: 'Bob@x.org' }]],
        [empty.id, []],
        ['unknown', []]
      ])
    )
    assert.deepEqual(await scim.groupMembers('org-b', [group.id]), new Map([[group.id, []]]))
  })

  await t.test('display names are unique in an organisation, and only its users are members', async () => {
    const { store, scim, ann, add, membersOf } = await createWithUsers()
    const staff = await add('Staff')
    const other = await add('Other', [ann])
    await add('Staff', [], 'org-b')
    await assert.rejects(add('STAFF'), { code: 'CONFLICT' })
    await assert.rejects(scim.changeGroup('org-a', other.id, { displayName: 'staff' }), { code: 'CONFLICT' })
    await assert.rejects(add('Third', [], 'unknown'), { code: 'CONFLICT' })
    const stranger = await aScimUser(store, 'eve@x.org', { orgId: 'org-b' })
    const { member } = await store.members.provision({ orgId: 'org-a', email: 'plain@x.org', role: 'viewer' })
    for (const id of [stranger, member.userId, staff.id, 'unknown', '\u0000', '']) {
      await assert.rejects(add('Fourth', [ann, id]), { code: 'INVALID_REQUEST' })
      const change = { displayName: 'Renamed', members: { replace: true, add: [id] } }
      await assert.rejects(scim.changeGroup('org-a', other.id, change), { code: 'INVALID_REQUEST' })
    }
    assert.deepEqual([(await scim.getGroup('org-a', other.id))?.displayName, await membersOf(other.id)], ['Other', [ann]])
    assert.equal((await scim.listGroups('org-a', { filter: [], offset: 0, limit: 9 })).total, 2)
    assert.equal((await scim.changeGroup('org-a', staff.id, { displayName: 'STAFF' }))?.group.displayName, 'STAFF')
  })

  await t.test('a change applies as a whole and tells which users it touches', async () => {
    const { scim, clock, ann, bob, cyd, add, membersOf } = await createWithUsers()
    const { id, createdAt } = await add('Staff', [ann])
    await clock.advance(5)
    const table = [
      [{ members: { add: [bob, ann] } }, [ann, bob], [ann, bob]],
      [{ members: { remove: [ann, 'unknown', cyd] } }, [bob], [ann]],
      [{ members: { add: [cyd], remove: [bob] } }, [cyd], [bob, cyd]],
      [{ members: { replace: true, add: [cyd, ann] } }, [ann, cyd], [ann, cyd]],
      [{ displayName: 'staff' }, [ann, cyd], []],
      [{ displayName: 'Team', externalId: 'E' }, [ann, cyd], [ann, cyd]],
      [{ members: { replace: true } }, [], [ann, cyd]],
      [{}, [], []]
    ] as const
    for (const [change, members, touched] of table) {
      const result = await scim.changeGroup('org-a', id, change)
      assert.deepEqual(await membersOf(id), members, JSON.stringify(change))
      assert.deepEqual(result?.touched.toSorted(), touched.toSorted(), JSON.stringify(change))
      assert.deepEqual(await scim.getGroup('org-a', id), result?.group)
    }
    const group = await scim.getGroup('org-a', id)
    assert.deepEqual([group?.displayName, group?.externalId, group?.createdAt], ['Team', 'E', createdAt])
    assert.ok((group?.updatedAt ?? 0) > createdAt)
  })

  await t.test('the standing of a user has the role and the groups, oldest first', async () => {
    const { store, scim, ann, bob, add } = await createWithUsers()
    const first = await add('Zebra', [ann])
    const second = await add('Alpha', [ann, bob])
    await store.members.update('org-a', bob, { role: 'admin', disabled: true })
    const byId = new Map((await scim.standings('org-a', [ann, bob])).map((standing) => [standing.userId, standing]))
    const [zebra, alpha] = [{ id: first.id, displayName: 'Zebra' }, { id: second.id, displayName: 'Alpha' }]
    assert.deepEqual(byId.get(ann), { userId: ann, role: 'viewer', disabled: false, groups: [zebra, alpha] })
    assert.deepEqual(byId.get(bob), { userId: bob, role: 'admin', disabled: true, groups: [alpha] })
    const deleted = await scim.deleteGroup('org-a', second.id)
    assert.deepEqual(deleted, { group: second, touched: deleted?.touched })
    assert.deepEqual(deleted.touched.toSorted(), [ann, bob].toSorted())
    assert.deepEqual((await scim.standings('org-a', [ann]))[0]?.groups, [zebra])
    assert.equal(await scim.deleteGroup('org-a', second.id), null)
  })

  await t.test('another organisation cannot read, change, delete or list a group', async () => {
    const { scim, ann, add, membersOf } = await createWithUsers()
    const { id } = await add('Staff', [ann])
    for (const [orgId, other] of [['org-b', id], ['org-a', '\u0000'], ['', id]] as const) {
      assert.equal(await scim.getGroup(orgId, other), null)
      assert.equal(await scim.changeGroup(orgId, other, { displayName: 'X', members: { replace: true } }), null)
      assert.equal(await scim.deleteGroup(orgId, other), null)
    }
    assert.deepEqual(await scim.listGroups('org-b', { filter: [], offset: 0, limit: 5 }), { data: [], total: 0 })
    assert.deepEqual(await membersOf(id), [ann])
  })

  await t.test('a filter finds groups by name, id, external id and member', async () => {
    const { scim, ann, bob, add } = await createWithUsers()
    const [staff, team] = [await add('Staff', [ann]), await add('A team', [ann, bob])]
    await scim.changeGroup('org-a', team.id, { externalId: 'E1' })
    const by = (operator: 'eq' | 'co' | 'sw', field: ScimGroupField, value: string): ScimCondition<ScimGroupField> =>
      ({ operator, field, value })
    const table: Array<[Array<ScimCondition<ScimGroupField>>, string[]]> = [
      [[], [staff.id, team.id]],
      [[by('eq', 'displayName', 'STAFF')], [staff.id]],
      [[by('co', 'displayName', 'ta')], [staff.id]],
      [[by('sw', 'displayName', 'a ')], [team.id]],
      [[by('eq', 'id', team.id)], [team.id]],
      [[by('eq', 'externalId', 'E1')], [team.id]],
      [[{ operator: 'pr', field: 'externalId' }], [team.id]],
      [[by('eq', 'member', bob)], [team.id]],
      [[by('eq', 'id', staff.id), by('eq', 'member', bob)], []]
    ]
    for (const [filter, ids] of table) {
      const { data, total } = await scim.listGroups('org-a', { filter, offset: 0, limit: 9 })
      assert.deepEqual([data.map(({ id }) => id), total], [ids, ids.length], JSON.stringify(filter))
    }
    assert.deepEqual((await scim.listGroups('org-a', { filter: [], offset: 1, limit: 1 })).data[0]?.id, team.id)
  })

  await t.test('an organisation gets as many groups as its quota, also by concurrent calls', async () => {
    const { scim, add } = await createWithUsers()
    const results = await Promise.allSettled(Array.from({ length: 5 }, (_, at) => add(`Group ${at}`, [], 'org-a', 3)))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 3)
    for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'CONFLICT')
    assert.equal((await scim.listGroups('org-a', { filter: [], offset: 0, limit: 0 })).total, 3)
  })

  await t.test('concurrent changes of one group all apply', async () => {
    const { store, scim, add, membersOf } = await createWithUsers()
    const { id } = await add('Staff')
    const users = await Promise.all(Array.from({ length: 8 }, (_, at) => aScimUser(store, `user-${at}@x.org`)))
    await Promise.all(users.map((userId) => scim.changeGroup('org-a', id, { members: { add: [userId] } })))
    assert.deepEqual((await membersOf(id))?.toSorted(), users.toSorted())
  })
}
