import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, aSession, aUser } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

export async function userContract (t: ContractTest, make: CreateStore): Promise<void> {
  await t.test('a user is found by id and by email, in any case', async () => {
    const { store: { users }, clock } = await make()
    assert.equal(await users.count(), 0)
    const user = await users.create({ orgId: 'org-a', email: 'Owner@Example.com', passwordHash: 'hash', role: 'owner' })
    assert.ok(Math.abs(user.createdAt - clock.now()) < 10_000)
    const expected = {
      orgId: 'org-a',
      email: 'owner@example.com',
      passwordHash: 'hash',
      role: 'owner',
      disabled: false,
      epoch: user.epoch
    }
    assert.deepEqual(user, { ...expected, id: user.id, createdAt: user.createdAt })
    assert.deepEqual(await users.get(user.id), user)
    assert.deepEqual(await users.findByEmail('OWNER@example.COM'), user)
    assert.equal(await users.get('nobody'), null)
    assert.equal(await users.findByEmail('nobody@example.com'), null)
    assert.equal(await users.findByEmail('%@example.com'), null)
    assert.equal(await users.count(), 1)
  })

  await t.test('an email that is in use in any organisation, in any case, is a conflict', async () => {
    const { store: { users } } = await make()
    await users.create({ orgId: 'org-a', email: 'owner@example.com', passwordHash: 'hash', role: 'owner' })
    for (const orgId of ['org-a', 'org-b']) {
      await assert.rejects(users.create({ orgId, email: 'OWNER@example.com', passwordHash: 'hash', role: 'viewer' }), {
        code: 'CONFLICT'
      })
    }
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () =>
        users.create({ orgId: 'org-a', email: 'new@example.com', passwordHash: 'x', role: 'viewer' }))
    )
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal(await users.count(), 2)
  })

  await t.test('setting the password hash changes no other property', async () => {
    const { store } = await make()
    const [user, other] = [await aUser(store), await aUser(store)]
    assert.equal(await store.users.setPassword(user.id, 'another'), true)
    assert.deepEqual(await store.users.get(user.id), { ...user, passwordHash: 'another' })
    assert.deepEqual(await store.users.get(other.id), other)
    assert.equal(await store.users.setPassword('nobody', 'another'), false)
  })

  await t.test('a password is replaced only if its hash has not changed since, and then the other ' +
    'sessions end', async () => {
    const { store, clock } = await make()
    const { users, sessions } = store
    const [user, other] = [await aUser(store), await aUser(store)]
    const [kept, dropped, foreign] = [aSession(user.id, clock), aSession(user.id, clock), aSession(other.id, clock)]
    for (const session of [kept, dropped, foreign]) {
      await sessions.start(session)
      await sessions.access(session.id)
    }
    const alive = async () =>
      await Promise.all([kept, dropped, foreign].map(async ({ id }) => await sessions.access(id) !== null))
    const from = user.passwordHash
    assert.equal(await users.replacePassword(user.id, { from: 'another', to: 'x', endSessionsBut: kept.id }), false)
    assert.equal(await users.replacePassword('nobody', { from, to: 'x', endSessionsBut: kept.id }), false)
    assert.deepEqual(await users.get(user.id), user)
    assert.equal(await users.replacePassword(user.id, { from, to: 'stronger' }), true)
    assert.deepEqual(await alive(), [true, true, true])
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((to) => users.replacePassword(user.id, { from: 'stronger', to, endSessionsBut: kept.id }))
    )
    assert.deepEqual(answers.filter((changed) => changed), [true], 'one of three concurrent changes')
    assert.deepEqual(await users.get(user.id), { ...user, passwordHash: ['a', 'b', 'c'][answers.indexOf(true)] })
    assert.deepEqual(await alive(), [true, false, true])
    assert.deepEqual(await users.get(other.id), other)
  })

  await t.test('the last allowed consecutive failure locks the account, and the lock ends by itself', async () => {
    const { store, clock } = await make()
    const { users } = store
    const limits = { max: 5, lockFor: 200 }
    for (let failure = 1; failure <= 4; failure++) {
      assert.deepEqual(await users.countFailure('subject', limits), { lockedUntil: null, wasLocked: false })
      assert.equal(await users.lockedUntil('subject'), null)
    }
    const { lockedUntil: until, wasLocked } = await users.countFailure('subject', limits)
    assert.equal(wasLocked, false, 'this failure locked it')
    assert.ok(until !== null && until > clock.now() && until <= clock.now() + 200)
    assert.equal(await users.lockedUntil('subject'), until)
    for (let more = 0; more < 6; more++) {
      assert.deepEqual(
        await users.countFailure('subject', limits),
        { lockedUntil: until, wasLocked: true },
        'a lock is not extended'
      )
    }
    assert.equal(await users.clearFailures('subject'), until, 'a success does not end it')
    assert.equal(await users.lockedUntil('other'), null)
    await store.sweep({ auditRetention: 1_000 })
    assert.equal(await users.lockedUntil('subject'), until, 'a sweep keeps it')
    await clock.advance(200)
    assert.equal(await users.lockedUntil('subject'), null)
    assert.deepEqual(
      await users.countFailure('subject', limits),
      { lockedUntil: null, wasLocked: false },
      'the count restarts'
    )
    assert.equal(await users.clearFailures('subject'), null)
  })

  await t.test('a success between failures restarts the count, and concurrent failures are all counted', async () => {
    const { store: { users } } = await make()
    const limits = { max: 5, lockFor: 60_000 }
    for (let failure = 1; failure <= 4; failure++) await users.countFailure('subject', limits)
    assert.equal(await users.clearFailures('subject'), null)
    for (let failure = 1; failure <= 4; failure++) {
      assert.equal((await users.countFailure('subject', limits)).lockedUntil, null)
    }
    assert.equal(await users.clearFailures('subject'), null)
    const results = await Promise.all(Array.from({ length: 8 }, () => users.countFailure('subject', limits)))
    assert.equal(results.filter(({ lockedUntil }) => lockedUntil === null).length, 4)
    assert.equal(results.filter(({ wasLocked }) => wasLocked).length, 3, 'at most five are reported as wrong')
    assert.equal(
      new Set(results.filter(({ lockedUntil }) => lockedUntil !== null).map(({ lockedUntil }) => lockedUntil)).size,
      1
    )
    const atOnce = await users.countFailure('at-once', { max: 1, lockFor: 60_000 })
    assert.deepEqual([typeof atOnce.lockedUntil, atOnce.wasLocked], ['number', false])
    assert.equal(await users.clearFailures('never-failed'), null)
  })

  await t.test('unlocking ends only the locks of a subject and of subjects that start with it and a dot', async () => {
    const { store: { users } } = await make()
    const limits = { max: 1, lockFor: 60_000 }
    const [mine, others] = [['ann', 'ann.device.1', 'ann.'], ['anna', 'an', 'bob.ann', 'ANN', 'a%', 'ann%', '']]
    for (const subject of [...mine, ...others]) await users.countFailure(subject, limits)
    await users.unlock('ann')
    for (const subject of mine) assert.equal(await users.lockedUntil(subject), null, subject)
    for (const subject of others) assert.notEqual(await users.lockedUntil(subject), null, subject)
    await users.unlock('a%')
    assert.notEqual(await users.lockedUntil('ann%'), null)
    for (let failure = 1; failure <= 4; failure++) await users.countFailure('counted', { max: 5, lockFor: 60_000 })
    await users.unlock('counted')
    assert.deepEqual(await users.countFailure('counted', { max: 2, lockFor: 60_000 }), {
      lockedUntil: null,
      wasLocked: false
    }, 'the count restarts')
    await users.unlock('never-failed')
  })

  await t.test('unusual strings are read back unchanged and find their own user', async () => {
    const { store: { users } } = await make()
    const lower = new Set(AWKWARD_STRINGS.map((text) => text.toLowerCase()))
    for (const text of lower) {
      await users.create({ orgId: text, email: `${text}@x`, passwordHash: text, role: 'viewer' })
    }
    for (const text of lower) {
      const user = await users.findByEmail(`${text}@x`)
      assert.deepEqual([user?.orgId, user?.email, user?.passwordHash], [text, `${text}@x`, text])
    }
    for (const text of AWKWARD_STRINGS) assert.equal(await users.get(text), null)
  })

  await t.test('changing returned objects does not change the store', async () => {
    const { store } = await make()
    const user = await aUser(store)
    const copies = [user, await store.users.get(user.id), await store.users.findByEmail(user.email)]
    for (const copy of copies) if (copy !== null) Object.assign(copy, { role: 'owner', epoch: 99 })
    assert.equal((await store.users.get(user.id))?.role, 'admin')
  })
}
