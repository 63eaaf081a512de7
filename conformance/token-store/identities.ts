import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, aSession, aUser } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

export async function identityContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('a linked subject is found by its provider and exact subject alone', async () => {
    const { store, clock } = await create()
    const user = await aUser(store)
    const link = { providerId: 'idp_1', subject: 'Sub-1', orgId: 'org-a', userId: user.id }
    const identity = await store.identities.link(link)
    assert.ok(Math.abs(identity.createdAt - clock.now()) < 10_000)
    assert.deepEqual(identity, { ...link, createdAt: identity.createdAt, lastLoginAt: identity.createdAt })
    assert.deepEqual(await store.identities.find('idp_1', 'Sub-1'), identity)
    const others = [['idp_1', 'sub-1'], ['idp_2', 'Sub-1'], ['idp_1', 'Sub-1 '], ['idp_1', ''], ['IDP_1', 'Sub-1']]
    for (const [providerId = '', subject = ''] of others) {
      assert.equal(await store.identities.find(providerId, subject), null)
    }
  })

  await t.test('a repeated link only sets the time of the last login', async () => {
    const { store, clock } = await create()
    const link = { providerId: 'idp_1', subject: 's', orgId: 'org-a', userId: (await aUser(store)).id }
    const first = await store.identities.link(link)
    await clock.advance(5)
    const second = await store.identities.link(link)
    assert.ok(second.lastLoginAt > first.lastLoginAt)
    assert.equal(second.createdAt, first.createdAt)
    assert.deepEqual(await store.identities.ofUser('org-a', link.userId), [second])
  })

  await t.test('a subject is not linked to a second user, nor a user to a second subject of a provider', async () => {
    const { store } = await create()
    const [one, other] = [await aUser(store), await aUser(store)]
    const link = (userId: string, subject: string, providerId = 'idp_1') =>
      store.identities.link({ providerId, subject, orgId: 'org-a', userId })
    const linked = await link(one.id, 's-1')
    await assert.rejects(link(other.id, 's-1'), { code: 'CONFLICT' })
    await assert.rejects(link(one.id, 's-2'), { code: 'CONFLICT' })
    await assert.rejects(link('unknown', 's-3'), { code: 'CONFLICT' })
    assert.deepEqual(await store.identities.find('idp_1', 's-1'), linked)
    for (const subject of ['s-2', 's-3']) assert.equal(await store.identities.find('idp_1', subject), null)
    await link(one.id, 's-2', 'idp_2')
    assert.equal((await store.identities.ofUser('org-a', one.id)).length, 2, 'another provider is separate')
  })

  await t.test('of concurrent first logins with two subjects one is linked', async () => {
    const { store } = await create()
    for (let round = 0; round < 5; round++) {
      const { id: userId } = await aUser(store)
      const results = await Promise.allSettled(['a', 'b', 'c'].map((name) =>
        store.identities.link({ providerId: 'idp_1', subject: `${name}-${round}`, orgId: 'org-a', userId })))
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
      assert.equal((await store.identities.ofUser('org-a', userId)).length, 1)
    }
  })

  await t.test('unlinking ends the sessions of the provider at once, and another organisation cannot unlink', async () => {
    const { store, clock } = await create()
    const { id: userId } = await aUser(store)
    for (const providerId of ['idp_1', 'idp_2']) {
      await store.identities.link({ providerId, subject: 's', orgId: 'org-a', userId })
      const sso = { providerId, subject: 's', providerSession: null, sealedHint: null, loginAt: clock.now() }
      await store.sessions.start(aSession(userId, clock, { id: providerId, sso }))
    }
    await store.sessions.start(aSession(userId, clock, { id: 'password' }))
    assert.equal(await store.identities.unlink('org-b', userId, 'idp_1'), false)
    assert.notEqual(await store.sessions.access('idp_1'), null)
    assert.equal(await store.identities.unlink('org-a', userId, 'idp_1'), true)
    assert.equal(await store.identities.unlink('org-a', userId, 'idp_1'), false)
    assert.equal(await store.sessions.access('idp_1'), null)
    for (const id of ['idp_2', 'password']) assert.notEqual(await store.sessions.access(id), null)
    assert.deepEqual((await store.identities.ofUser('org-a', userId)).map(({ providerId }) => providerId), ['idp_2'])
  })

  await t.test('the identities of a deleted user are deleted', async () => {
    const { store } = await create()
    const owner = await store.users.create({
      orgId: 'org-a', email: 'owner@example.com', passwordHash: '', role: 'owner'
    })
    const user = await aUser(store)
    await store.identities.link({ providerId: 'idp_1', subject: 's', orgId: 'org-a', userId: user.id })
    await store.identities.link({ providerId: 'idp_1', subject: 'o', orgId: 'org-a', userId: owner.id })
    await store.members.remove('org-a', user.id)
    assert.equal(await store.identities.find('idp_1', 's'), null)
    assert.notEqual(await store.identities.find('idp_1', 'o'), null)
  })

  await t.test('unusual subjects are found exactly', async () => {
    const { store } = await create()
    for (const [at, subject] of AWKWARD_STRINGS.entries()) {
      const user = await aUser(store)
      await store.identities.link({ providerId: 'idp_1', subject, orgId: 'org-a', userId: user.id })
      assert.equal((await store.identities.find('idp_1', subject))?.userId, user.id, `string ${at}`)
    }
  })
}
