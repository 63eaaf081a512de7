import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { aSession, aUser, allPages } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

export async function memberContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('a user can belong to several organisations, with a role in each', async () => {
    const { store } = await create()
    const { organisations, users, members } = store
    const user = await aUser(store)
    await organisations.create({ id: 'org-b', name: 'B' })
    const added = await members.add({ orgId: 'org-b', userId: user.id, role: 'viewer' })
    assert.deepEqual(added, {
      orgId: 'org-b',
      userId: user.id,
      email: user.email,
      role: 'viewer',
      disabled: false,
      createdAt: added.createdAt,
      lastLoginAt: null
    })
    assert.deepEqual(await members.get('org-b', user.id), added)
    assert.deepEqual(await members.ofUser(user.id), [
      { orgId: 'org-a', orgName: 'org-a', role: 'admin', disabled: false },
      { orgId: 'org-b', orgName: 'B', role: 'viewer', disabled: false }
    ])
    const { id, email, passwordHash, epoch, createdAt } = user
    const inB = { id, orgId: 'org-b', email, passwordHash, role: 'viewer', disabled: false, epoch, createdAt }
    assert.deepEqual(await users.get(user.id, 'org-b'), inB)
    assert.deepEqual(await users.findByEmail(user.email, 'org-b'), inB)
    assert.deepEqual(await users.get(user.id, 'org-a'), user)
    assert.equal(await users.get(user.id, 'org-c'), null)
    assert.equal(await users.findByEmail(user.email, 'org-c'), null)
    assert.equal(await users.count(), 1)
  })

  await t.test('a member is added once, and only if user and organisation exist', async () => {
    const { store: { organisations, members }, store } = await create()
    const user = await aUser(store)
    await organisations.create({ id: 'org-b', name: 'B' })
    const wrong = [{ orgId: 'org-a', userId: user.id }, { orgId: 'org-b', userId: 'nobody' },
      { orgId: 'nothing', userId: user.id }]
    for (const member of wrong) {
      await assert.rejects(members.add({ ...member, role: 'viewer' }), { code: 'CONFLICT' })
    }
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, () => members.add({ orgId: 'org-b', userId: user.id, role: 'viewer' }))
    )
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal((await members.get('org-a', user.id))?.role, 'admin')
    assert.deepEqual([await members.get('org-a', 'nobody'), await members.get('nothing', user.id)], [null, null])
    assert.deepEqual(await members.ofUser('nobody'), [])
  })

  await t.test('a session gives access to its own organisation, with the role that the user has there', async () => {
    const { store, clock } = await create()
    const { organisations, members, sessions } = store
    const user = await aUser(store)
    await organisations.create({ id: 'org-b', name: 'B' })
    await members.add({ orgId: 'org-b', userId: user.id, role: 'viewer' })
    const [inA, inB] = [aSession(user.id, clock), aSession(user.id, clock, { orgId: 'org-b' })]
    for (const session of [inA, inB]) assert.equal(await sessions.start(session), true)
    assert.equal(await sessions.start(aSession(user.id, clock, { orgId: 'org-c' })), false)
    const access = async () => [await sessions.access(inA.id), await sessions.access(inB.id)].map((own) =>
      own === null ? null : `${own.orgId} ${own.role}`
    )
    assert.deepEqual(await access(), ['org-a admin', 'org-b viewer'])
    await members.update('org-b', user.id, { role: 'editor' })
    assert.deepEqual(await access(), ['org-a admin', 'org-b editor'], 'a changed role takes effect at once')
    await members.update('org-b', user.id, { disabled: true })
    assert.deepEqual(await access(), ['org-a admin', null])
    assert.deepEqual((await sessions.list(user.id)).map(({ orgId }) => orgId), ['org-a'])
    assert.equal(await sessions.start(aSession(user.id, clock, { orgId: 'org-b' })), false)
    await members.update('org-b', user.id, { disabled: false })
    assert.deepEqual(await access(), ['org-a admin', null], 'the ended session stays ended')
    const rotation = { presented: 'digest-1', next: 'digest-2', grace: 0, sealedSuccessor: null }
    assert.deepEqual(await sessions.rotate({ ...rotation, sessionId: inB.id }), { outcome: 'ended' })
    assert.deepEqual(await sessions.rotate({ ...rotation, sessionId: inA.id }), { outcome: 'rotated' })
  })

  await t.test('without an organisation a user is found in the enabled organisation of the latest login', async () => {
    const { store, clock } = await create()
    const { organisations, users, members, sessions } = store
    const user = await aUser(store)
    for (const id of ['org-b', 'org-c']) {
      await organisations.create({ id, name: id })
      await members.add({ orgId: id, userId: user.id, role: 'viewer' })
    }
    const found = async () => [(await users.get(user.id))?.orgId, (await users.findByEmail(user.email))?.orgId]
    assert.deepEqual(await found(), ['org-a', 'org-a'])
    await sessions.start(aSession(user.id, clock, { orgId: 'org-c' }))
    assert.ok(Math.abs(((await members.get('org-c', user.id))?.lastLoginAt ?? 0) - clock.now()) < 10_000)
    assert.deepEqual(await found(), ['org-c', 'org-c'])
    await members.update('org-c', user.id, { disabled: true })
    assert.deepEqual(await found(), ['org-a', 'org-a'])
    await members.update('org-a', user.id, { disabled: true })
    assert.deepEqual(await found(), ['org-b', 'org-b'])
    await members.update('org-b', user.id, { disabled: true })
    assert.deepEqual([await found(), (await users.get(user.id))?.disabled], [['org-c', 'org-c'], true])
  })

  await t.test('an organisation keeps an enabled owner', async () => {
    const { store } = await create()
    const { users, members } = store
    const createOwner = (email: string) =>
      users.create({ orgId: 'org-a', email, passwordHash: 'hash', role: 'owner' })
    const ann = await createOwner('ann@example.com')
    await aUser(store)
    const foreign = await users.create({ orgId: 'org-b', email: 'b@example.com', passwordHash: 'hash', role: 'owner' })
    const changes = [
      () => members.update('org-a', ann.id, { role: 'admin' }),
      () => members.update('org-a', ann.id, { disabled: true }),
      () => members.remove('org-a', ann.id)
    ]
    for (const change of changes) await assert.rejects(change(), { code: 'CONFLICT' })
    assert.deepEqual(await users.get(ann.id), ann)
    const bob = await createOwner('bob@example.com')
    await members.update('org-a', bob.id, { disabled: true })
    for (const change of changes) await assert.rejects(change(), { code: 'CONFLICT' })
    await members.update('org-a', bob.id, { disabled: false })
    const results = await Promise.allSettled([
      members.update('org-a', ann.id, { role: 'viewer' }),
      members.remove('org-a', bob.id)
    ])
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1, 'one of two owners stays')
    assert.equal((await users.get(foreign.id))?.role, 'owner')
  })

  await t.test('a removed member has no sessions there, and the last membership deletes the user', async () => {
    const { store, clock } = await create()
    const { organisations, users, members, sessions } = store
    const user = await aUser(store)
    await organisations.create({ id: 'org-b', name: 'B' })
    await members.add({ orgId: 'org-b', userId: user.id, role: 'viewer' })
    const [inA, inB] = [aSession(user.id, clock), aSession(user.id, clock, { orgId: 'org-b' })]
    for (const session of [inA, inB]) {
      await sessions.start(session)
      await sessions.access(session.id)
    }
    assert.equal((await members.remove('org-b', user.id))?.role, 'viewer')
    assert.equal(await members.remove('org-b', user.id), null)
    assert.equal(await sessions.access(inB.id), null)
    assert.notEqual(await sessions.access(inA.id), null)
    assert.equal((await users.get(user.id))?.orgId, 'org-a')
    assert.equal((await members.remove('org-a', user.id))?.email, user.email)
    assert.equal(await sessions.access(inA.id), null)
    assert.deepEqual([await users.get(user.id), await users.findByEmail(user.email)], [null, null])
    assert.equal(await users.count(), 0)
    const again = await aUser(store, user.email)
    assert.notEqual(again.id, user.id)
    assert.deepEqual(await sessions.list(user.id), [])
  })

  await t.test('the members of one organisation are listed newest first, page by page', async () => {
    const { store, clock } = await create()
    const created: string[] = []
    for (let at = 0; at < 5; at++) {
      created.unshift((await aUser(store)).id)
      if (at % 2 === 0) await clock.advance(2)
    }
    await store.users.create({ orgId: 'org-b', email: 'b@example.com', passwordHash: 'hash', role: 'owner' })
    const pages = await allPages((page) => store.members.list('org-a', page), 2)
    assert.deepEqual(pages.map((page) => page.map(({ userId }) => userId)), [
      created.slice(0, 2),
      created.slice(2, 4),
      created.slice(4)
    ])
    assert.ok(!JSON.stringify(pages).includes('argon2'))
    assert.deepEqual(await store.members.list('nothing', { limit: 10 }), { data: [], nextCursor: null })
  })

  await t.test('a member whose role is not among the changeable roles is not changed', async () => {
    const { store } = await create()
    const { members, users } = store
    const owner = await users.create({ orgId: 'org-a', email: 'a@example.com', passwordHash: 'hash', role: 'owner' })
    await users.create({ orgId: 'org-a', email: 'b@example.com', passwordHash: 'hash', role: 'owner' })
    const below = ['admin', 'editor', 'viewer'] as const
    await assert.rejects(members.update('org-a', owner.id, { role: 'viewer' }, below), { code: 'FORBIDDEN' })
    await assert.rejects(members.update('org-a', owner.id, { disabled: true }, below), { code: 'FORBIDDEN' })
    await assert.rejects(members.remove('org-a', owner.id, below), { code: 'FORBIDDEN' })
    assert.deepEqual(await users.get(owner.id), owner)
    assert.equal((await members.update('org-a', owner.id, { role: 'admin' }, ['owner']))?.role, 'admin')
    assert.equal((await members.remove('org-a', owner.id, below))?.userId, owner.id)
  })

  await t.test('a change of a member that does not exist has no effect', async () => {
    const { store } = await create()
    const user = await aUser(store)
    for (const [orgId, userId] of [['org-b', user.id], ['org-a', 'nobody']] as const) {
      assert.equal(await store.members.update(orgId, userId, { role: 'viewer' }), null)
      assert.equal(await store.members.remove(orgId, userId), null)
    }
    assert.deepEqual(await store.users.get(user.id), user)
  })
}
