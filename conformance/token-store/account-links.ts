import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

import type { TokenStore, User } from '../../contracts/token-store/index.js'
import type { ContractClock } from '../clocks.js'
import type { ContractTest } from '../contract-test.js'
import { aSession, aUser } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

const HOUR = 3_600_000

export async function accountLinkContract (t: ContractTest, create: CreateStore): Promise<void> {
  async function createWithUser () {
    const { store, clock } = await create()
    return { store, clock, user: await aUser(store) }
  }

  await t.test('a reset link sets the password once and ends all sessions of the user', async () => {
    const { store, clock, user } = await createWithUser()
    const { accountLinks, sessions } = store
    const other = await aUser(store)
    const [session, foreign] = [aSession(user.id, clock), aSession(other.id, clock)]
    for (const each of [session, foreign]) assert.equal(await sessions.start(each), true)
    const digest = await startReset(store, clock, user)
    assert.deepEqual(await accountLinks.findReset(digest), { userId: user.id, email: user.email })
    assert.notEqual(await sessions.access(session.id), null)
    assert.deepEqual(await accountLinks.finishReset(digest, 'new hash'), { userId: user.id, email: user.email })
    assert.deepEqual(await store.users.get(user.id), { ...user, passwordHash: 'new hash', epoch: user.epoch + 1 })
    assert.equal(await sessions.access(session.id), null)
    assert.notEqual(await sessions.access(foreign.id), null)
    assert.equal(await accountLinks.findReset(digest), null)
    assert.equal(await accountLinks.finishReset(digest, 'another hash'), null)
    assert.equal((await store.users.get(user.id))?.passwordHash, 'new hash')
  })

  await t.test('exactly one of many concurrent resets with one link succeeds', async () => {
    const { store, clock, user } = await createWithUser()
    const digest = await startReset(store, clock, user)
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, at) => store.accountLinks.finishReset(digest, `hash-${at}`))
    )
    assert.equal(results.filter((result) => result !== null).length, 1)
    const after = await store.users.get(user.id)
    assert.deepEqual([after?.passwordHash, after?.epoch], [`hash-${results.findIndex((one) => one !== null)}`, 1])
  })

  await t.test('a reset link ends with a new link, after its time, and when the account changes', async () => {
    const { store, clock } = await create()
    const { accountLinks, users, members } = store
    const ends: ReadonlyArray<[how: string, (user: User) => Promise<unknown>]> = [
      ['a new link', (user) => startReset(store, clock, user)],
      ['a new password', (user) => users.setPassword(user.id, 'changed')],
      ['a replaced password', (user) => users.replacePassword(user.id, { from: user.passwordHash, to: 'changed' })],
      ['a new email', (user) => changeEmail(store, clock, user, `${randomUUID()}@example.com`)],
      ['the deletion of the user', (user) => members.remove('org-a', user.id)],
      ['its time', () => clock.advance(1_000)]
    ]
    for (const [how, end] of ends) {
      const user = await aUser(store)
      const digest = await startReset(store, clock, user, how === 'its time' ? 1_000 : HOUR)
      await end(user)
      assert.equal(await accountLinks.findReset(digest), null, how)
      assert.equal(await accountLinks.finishReset(digest, 'stolen'), null, how)
      assert.notEqual((await users.get(user.id))?.passwordHash, 'stolen', how)
    }
  })

  await t.test('a link starts only for an existing user', async () => {
    const { store, clock } = await create()
    const link = { userId: 'nobody', digest: 'digest', expiresAt: clock.now() + HOUR }
    assert.equal(await store.accountLinks.startReset(link), false)
    assert.equal(await store.accountLinks.findReset('digest'), null)
    const change = { ...link, newEmail: 'new@example.com', newDigest: 'new digest' }
    assert.equal(await store.accountLinks.startEmailChange(change), false)
    assert.equal(await store.accountLinks.confirmEmail('digest'), null)
  })

  await t.test('an email changes when both links are confirmed, in either order, and sessions continue', async () => {
    const { store, clock } = await create()
    for (const isNewFirst of [true, false]) {
      const user = await aUser(store)
      const session = aSession(user.id, clock)
      await store.sessions.start(session)
      const to = `new-${user.id}@example.com`
      const links = await startEmailChange(store, clock, user, to.toUpperCase())
      const [first, second] = isNewFirst ? [links.newDigest, links.digest] : [links.digest, links.newDigest]
      const change = { userId: user.id, from: user.email, to }
      for (let repeat = 0; repeat < 2; repeat++) {
        assert.deepEqual(await store.accountLinks.confirmEmail(first), { outcome: 'waiting', ...change })
        assert.equal((await store.sessions.access(session.id))?.email, user.email)
      }
      assert.deepEqual(await store.accountLinks.confirmEmail(second), { outcome: 'changed', ...change })
      assert.equal((await store.sessions.access(session.id))?.email, to)
      assert.deepEqual(await store.users.findByEmail(to), { ...user, email: to })
      assert.equal(await store.users.findByEmail(user.email), null)
      for (const digest of [first, second]) assert.equal(await store.accountLinks.confirmEmail(digest), null)
    }
  })

  await t.test('a change of email ends with a new change, after its time, and when the account changes', async () => {
    const { store, clock } = await create()
    const { users, members, accountLinks } = store
    const ends: ReadonlyArray<[how: string, (user: User) => Promise<unknown>]> = [
      ['a new change', (user) => startEmailChange(store, clock, user, 'other@example.com')],
      ['a new password', (user) => users.setPassword(user.id, 'changed')],
      ['a reset', async (user) => accountLinks.finishReset(await startReset(store, clock, user), 'changed')],
      ['the deletion of the user', (user) => members.remove('org-a', user.id)],
      ['its time', () => clock.advance(1_000)]
    ]
    for (const [how, end] of ends) {
      const user = await aUser(store)
      const { digest, newDigest } = await startEmailChange(
        store, clock, user, `${randomUUID()}@example.com`, how === 'its time' ? 1_000 : HOUR
      )
      await accountLinks.confirmEmail(newDigest)
      await end(user)
      assert.equal(await accountLinks.confirmEmail(digest), null, how)
      assert.equal(await accountLinks.confirmEmail(newDigest), null, how)
    }
  })

  await t.test('an email of another user is not taken over, and the link stays valid', async () => {
    const { store, clock, user } = await createWithUser()
    const { accountLinks, members } = store
    const { digest, newDigest } = await startEmailChange(store, clock, user, 'new@example.com')
    await accountLinks.confirmEmail(newDigest)
    const other = await aUser(store, 'new@example.com')
    await assert.rejects(accountLinks.confirmEmail(digest), { code: 'CONFLICT', message: 'This email is taken' })
    assert.equal((await store.users.get(user.id))?.email, user.email)
    await members.remove('org-a', other.id)
    assert.equal((await accountLinks.confirmEmail(digest))?.outcome, 'changed')
  })

  await t.test('a sweep keeps valid links', async () => {
    const { store, clock, user } = await createWithUser()
    const other = await aUser(store)
    await store.accountLinks.startReset({ userId: other.id, digest: 'short', expiresAt: clock.now() + 1 })
    const digest = await startReset(store, clock, user)
    const { newDigest } = await startEmailChange(store, clock, user, 'new@example.com')
    await clock.advance(1_000)
    await store.sweep({ auditRetention: HOUR })
    assert.equal(await store.accountLinks.findReset('short'), null)
    assert.notEqual(await store.accountLinks.findReset(digest), null)
    assert.equal((await store.accountLinks.confirmEmail(newDigest))?.outcome, 'waiting')
  })
}

async function startReset (
  { accountLinks }: TokenStore,
  clock: ContractClock,
  user: User,
  ttl = HOUR
): Promise<string> {
  const digest = randomUUID()
  assert.equal(await accountLinks.startReset({ userId: user.id, digest, expiresAt: clock.now() + ttl }), true)
  return digest
}

async function startEmailChange (
  { accountLinks }: TokenStore,
  clock: ContractClock,
  user: User,
  newEmail: string,
  ttl = HOUR
) {
  const links = { digest: randomUUID(), newDigest: randomUUID() }
  const expiresAt = clock.now() + ttl
  assert.equal(await accountLinks.startEmailChange({ userId: user.id, newEmail, ...links, expiresAt }), true)
  return links
}

async function changeEmail (store: TokenStore, clock: ContractClock, user: User, to: string): Promise<void> {
  const { digest, newDigest } = await startEmailChange(store, clock, user, to)
  for (const each of [digest, newDigest]) await store.accountLinks.confirmEmail(each)
}
