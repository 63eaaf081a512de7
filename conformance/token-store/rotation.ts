import assert from 'node:assert/strict'

import type { Rotation, TokenStore } from '../../contracts/token-store/index.js'
import type { ContractClock } from '../clocks.js'
import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, aSession, aUser } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

async function login (store: TokenStore, clock: ContractClock, userId?: string) {
  const id = userId ?? (await aUser(store)).id
  const session = aSession(id, clock)
  await store.sessions.start(session)
  const rotate = (presented: string, next: string, more: Partial<Rotation> = {}) =>
    store.sessions.rotate({ sessionId: session.id, presented, next, grace: 0, sealedSuccessor: null, ...more })
  return { userId: id, sessionId: session.id, rotate }
}

export async function rotationContract (t: ContractTest, make: CreateStore): Promise<void> {
  await t.test('each token is rotated once', async () => {
    const { store, clock } = await make()
    const { sessionId, userId, rotate } = await login(store, clock)
    for (let at = 1; at <= 5; at++) {
      assert.deepEqual(await rotate(`digest-${at}`, `digest-${at + 1}`), { outcome: 'rotated' })
    }
    assert.notEqual(await store.sessions.access(sessionId), null)
    assert.equal((await store.sessions.list(userId)).length, 1)
  })

  await t.test('a rotation updates the last use in the list', async () => {
    const { store, clock } = await make()
    const { userId, rotate } = await login(store, clock)
    await clock.advance(5)
    await rotate('digest-1', 'digest-2')
    const [session] = await store.sessions.list(userId)
    assert.ok(session !== undefined && session.lastUsedAt > session.createdAt)
  })

  await t.test('a reused older token ends every session of the user on all devices, and increments the ' +
    'epoch', async () => {
    const { store, clock } = await make()
    const one = await login(store, clock)
    const two = await login(store, clock, one.userId)
    const stranger = await login(store, clock)
    for (const { sessionId } of [one, two, stranger]) await store.sessions.access(sessionId)
    assert.equal((await one.rotate('digest-1', 'digest-2')).outcome, 'rotated')
    assert.deepEqual(await one.rotate('digest-1', 'digest-x'), {
      outcome: 'reused',
      userId: one.userId,
      orgId: 'org-a'
    })

    for (const { sessionId } of [one, two]) assert.equal(await store.sessions.access(sessionId), null)
    assert.deepEqual(await one.rotate('digest-2', 'digest-3'), { outcome: 'ended' })
    assert.deepEqual(await two.rotate('digest-1', 'digest-2'), { outcome: 'ended' })
    assert.deepEqual(await store.sessions.list(one.userId), [])
    assert.equal((await store.users.get(one.userId))?.epoch, 1)

    assert.notEqual(await store.sessions.access(stranger.sessionId), null)
    assert.equal((await stranger.rotate('digest-1', 'digest-2')).outcome, 'rotated')
    assert.deepEqual(
      await one.rotate('digest-1', 'digest-y'),
      { outcome: 'ended' },
      'an ended session revokes nothing again'
    )
    assert.equal((await store.users.get(one.userId))?.epoch, 1)
  })

  await t.test('a token from three rotations ago ends all sessions too, also within a grace period', async () => {
    const { store, clock } = await make()
    const more = { grace: 10_000, sealedSuccessor: 'sealed' }
    const { rotate, sessionId } = await login(store, clock)
    for (let at = 1; at <= 3; at++) {
      assert.equal((await rotate(`digest-${at}`, `digest-${at + 1}`, more)).outcome, 'rotated')
    }
    assert.equal((await rotate('digest-1', 'digest-x', more)).outcome, 'reused')
    for (let at = 1; at <= 4; at++) {
      assert.deepEqual(await rotate(`digest-${at}`, 'digest-x', more), { outcome: 'ended' })
    }
    assert.equal(await store.sessions.access(sessionId), null)
  })

  await t.test('within the grace period only the previous token gets the same successor, any number of ' +
    'times', async () => {
    const { store, clock } = await make()
    const { rotate, sessionId } = await login(store, clock)
    assert.equal((await rotate('digest-1', 'digest-2', { grace: 100, sealedSuccessor: 'sealed-2' })).outcome, 'rotated')
    for (let repeat = 0; repeat < 3; repeat++) {
      assert.deepEqual(
        await rotate('digest-1', `other-${repeat}`, { grace: 100, sealedSuccessor: `sealed-${repeat}` }),
        { outcome: 'repeated', sealedSuccessor: 'sealed-2' }
      )
    }
    assert.notEqual(await store.sessions.access(sessionId), null)
    assert.equal((await rotate('digest-2', 'digest-3', { grace: 100, sealedSuccessor: 'sealed-3' })).outcome, 'rotated')
    assert.deepEqual(await rotate('digest-2', 'x', { grace: 100, sealedSuccessor: 'x' }), {
      outcome: 'repeated',
      sealedSuccessor: 'sealed-3'
    })
    assert.equal((await rotate('digest-1', 'x', { grace: 100, sealedSuccessor: 'x' })).outcome, 'reused')
  })

  await t.test('after the grace period the previous token counts as reused, also after a sweep', async () => {
    for (const sweep of [false, true]) {
      const { store, clock } = await make()
      const { rotate } = await login(store, clock)
      await rotate('digest-1', 'digest-2', { grace: 100, sealedSuccessor: 'sealed-2' })
      await clock.advance(100)
      if (sweep) await store.sweep({ auditRetention: 1_000 })
      assert.equal((await rotate('digest-1', 'x', { grace: 100, sealedSuccessor: 'x' })).outcome, 'reused')
    }
  })

  await t.test('a rotation without a grace period allows no repeat, with any grace of the next call', async () => {
    const { store, clock } = await make()
    const { rotate } = await login(store, clock)
    await rotate('digest-1', 'digest-2', { grace: 10_000, sealedSuccessor: 'sealed-2' })
    await rotate('digest-2', 'digest-3')
    assert.equal((await rotate('digest-2', 'x', { grace: 10_000, sealedSuccessor: 'x' })).outcome, 'reused')
  })

  await t.test('a session that was not refreshed for the idle limit ends, and a refresh in time extends it', async () => {
    const { store, clock } = await make()
    const { userId, sessionId, rotate } = await login(store, clock)
    const other = await login(store, clock, userId)
    await clock.advance(60)
    assert.deepEqual(await rotate('digest-1', 'digest-2', { idleMax: 10_000 }), { outcome: 'rotated' })
    await clock.advance(60)
    assert.notEqual(await store.sessions.access(sessionId), null)
    assert.deepEqual(await rotate('digest-2', 'digest-3', { idleMax: 60 }), { outcome: 'idle', userId, orgId: 'org-a' })
    assert.equal(await store.sessions.access(sessionId), null)
    assert.deepEqual(await rotate('digest-2', 'digest-3'), { outcome: 'ended' })
    assert.deepEqual((await store.sessions.list(userId)).map(({ id }) => id), [other.sessionId])
    assert.equal((await store.users.get(userId))?.epoch, 0, 'nothing else was revoked')
  })

  await t.test('exactly one of concurrent refreshes of an idle session ends it, and no refresh ' +
    'is rotated', async () => {
    const { store, clock } = await make()
    const { rotate } = await login(store, clock)
    await clock.advance(60)
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, at) => rotate('digest-1', `next-${at}`, { idleMax: 60 }))
    )
    assert.deepEqual(outcomes.map(({ outcome }) => outcome).sort(), [...Array<string>(9).fill('ended'), 'idle'])
  })

  await t.test('a reused token of an idle session still revokes the sessions of the user', async () => {
    const { store, clock } = await make()
    const { rotate, userId } = await login(store, clock)
    await rotate('digest-1', 'digest-2')
    await clock.advance(60)
    assert.equal((await rotate('digest-1', 'x', { idleMax: 60 })).outcome, 'reused')
    assert.equal((await store.users.get(userId))?.epoch, 1)
  })

  await t.test('a session that has ended, expired or never existed revokes no session', async () => {
    const { store, clock } = await make()
    const { userId, rotate } = await login(store, clock)
    const rotation = { presented: 'digest-1', next: 'digest-2', grace: 0, sealedSuccessor: null }
    for (const sessionId of ['nothing', '', ...AWKWARD_STRINGS]) {
      assert.deepEqual(await store.sessions.rotate({ ...rotation, sessionId }), { outcome: 'ended' })
    }
    const short = aSession(userId, clock, { endsAt: clock.now() + 50 })
    await store.sessions.start(short)
    await clock.advance(50)
    assert.deepEqual(await store.sessions.rotate({ ...rotation, sessionId: short.id }), { outcome: 'ended' })
    assert.deepEqual(await store.sessions.rotate({ ...rotation, sessionId: short.id, presented: 'wrong' }), {
      outcome: 'ended'
    })
    assert.equal((await rotate('digest-1', 'digest-2')).outcome, 'rotated')
    assert.equal((await store.users.get(userId))?.epoch, 0)
  })

  for (const parallel of [20, 50]) {
    await t.test(`exactly one of ${parallel} concurrent refreshes of one token is rotated, and the session is revoked`, async () => {
      const { store, clock } = await make()
      for (let round = 0; round < 5; round++) {
        const { userId, sessionId, rotate } = await login(store, clock)
        const device = await login(store, clock, userId)
        const outcomes = await Promise.all(
          Array.from({ length: parallel }, (_, at) => rotate('digest-1', `next-${at}`))
        )
        const count = (outcome: string) => outcomes.filter((result) => result.outcome === outcome).length
        assert.equal(count('rotated'), 1)
        assert.equal(count('reused'), 1, 'the first reuse ends the session, the others find it ended')
        assert.equal(count('ended'), parallel - 2)
        const winner = outcomes.findIndex(({ outcome }) => outcome === 'rotated')
        assert.deepEqual(await rotate(`next-${winner}`, 'x'), { outcome: 'ended' })
        for (const id of [sessionId, device.sessionId]) assert.equal(await store.sessions.access(id), null)
        assert.equal((await store.users.get(userId))?.epoch, 1)
      }
    })

    await t.test(`with a grace period ${parallel} concurrent refreshes share one successor, which works`, async () => {
      const { store, clock } = await make()
      const { rotate, sessionId } = await login(store, clock)
      const outcomes = await Promise.all(
        Array.from({ length: parallel }, (_, at) =>
          rotate('digest-1', `next-${at}`, { grace: 10_000, sealedSuccessor: `sealed-${at}` }))
      )
      const winner = outcomes.findIndex(({ outcome }) => outcome === 'rotated')
      for (const [at, outcome] of outcomes.entries()) {
        assert.deepEqual(
          outcome,
          at === winner ? { outcome: 'rotated' } : { outcome: 'repeated', sealedSuccessor: `sealed-${winner}` }
        )
      }
      assert.notEqual(await store.sessions.access(sessionId), null)
      assert.equal((await rotate(`next-${winner}`, 'after')).outcome, 'rotated')
    })
  }

  await t.test('concurrent reuse on all devices of one user causes no deadlock and revokes all sessions', async () => {
    const { store, clock } = await make()
    const first = await login(store, clock)
    const devices = [first]
    for (let at = 0; at < 9; at++) devices.push(await login(store, clock, first.userId))
    for (const { rotate } of devices) await rotate('digest-1', 'digest-2')
    const outcomes = await Promise.all(
      devices.flatMap((
        { rotate }
      ) => [rotate('digest-1', 'x'), rotate('digest-2', 'digest-3'), store.sessions.endAll(first.userId)])
    )
    assert.ok(outcomes.length === 30)
    assert.deepEqual(await store.sessions.list(first.userId), [])
  })
}
