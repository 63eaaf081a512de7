import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { NO_PASSWORD } from '../../contracts/token-store/index.js'
import { aDigest, aUser } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

export async function provisionContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('provision creates an account without a password, then a membership, then nothing', async () => {
    const { store } = await create()
    for (const id of ['org-a', 'org-b']) await store.organisations.create({ id, name: id })
    const first = await store.members.provision({ orgId: 'org-a', email: 'Ann@Example.com', role: 'editor' })
    assert.equal(first.created, 'account')
    const { userId } = first.member
    assert.deepEqual(await store.members.get('org-a', userId), first.member)
    assert.equal(first.member.email, 'ann@example.com')
    assert.equal((await store.users.get(userId))?.passwordHash, NO_PASSWORD)

    const second = await store.members.provision({ orgId: 'org-b', email: 'ANN@example.com', role: 'viewer' })
    assert.deepEqual([second.created, second.member.userId, second.member.role], ['membership', userId, 'viewer'])
    await store.members.update('org-a', userId, { disabled: true })
    const third = await store.members.provision({ orgId: 'org-a', email: 'ann@example.com', role: 'owner' })
    assert.deepEqual(third, { member: { ...first.member, disabled: true }, created: null })
  })

  await t.test('concurrent calls provision one account with one membership', async () => {
    const { store } = await create()
    await store.organisations.create({ id: 'org-a', name: 'A' })
    for (let round = 0; round < 5; round++) {
      const email = `user-${round}@example.com`
      const results = await Promise.all(
        Array.from({ length: 5 }, () => store.members.provision({ orgId: 'org-a', email, role: 'viewer' }))
      )
      assert.deepEqual(results.map(({ created }) => created).filter((created) => created !== null), ['account'])
      assert.equal(new Set(results.map(({ member }) => member.userId)).size, 1)
    }
  })

  await t.test('provision keeps the limit of users and stores nothing beyond it', async () => {
    const { store } = await create()
    await store.organisations.create({ id: 'org-a', name: 'A', maxUsers: 1 })
    const provision = (email: string, orgId = 'org-a') => store.members.provision({ orgId, email, role: 'viewer' })
    await provision('one@example.com')
    await assert.rejects(provision('two@example.com'), { code: 'CONFLICT' })
    await assert.rejects(provision('three@example.com', 'org-unknown'), { code: 'CONFLICT' })
    assert.equal(await store.users.count(), 1)
    assert.equal((await provision('one@example.com')).created, null)
  })

  await t.test('an email is replaced only if it is current and the new one is free, and ends mailed links', async () => {
    const { store, clock } = await create()
    const [user, other] = [await aUser(store), await aUser(store)]
    const digest = aDigest()
    await store.accountLinks.startReset({ userId: user.id, digest, expiresAt: clock.now() + 60_000 })
    const replace = (from: string, to: string) => store.users.replaceEmail(user.id, { from, to })
    assert.equal(await replace('old@example.com', 'new@example.com'), false)
    await assert.rejects(replace(user.email, other.email.toUpperCase()), { code: 'CONFLICT' })
    assert.notEqual(await store.accountLinks.findReset(digest), null)
    assert.equal(await replace(user.email.toUpperCase(), 'New@Example.com'), true)
    assert.equal((await store.users.findByEmail('new@example.com'))?.id, user.id)
    assert.equal(await store.users.findByEmail(user.email), null)
    assert.equal(await store.accountLinks.findReset(digest), null)
  })
}
