import assert from 'node:assert/strict'

import { systemClock } from '../clocks.js'
import type { ContractTest } from '../contract-test.js'
import { aRevocation, aSession, aSource, aUser, anEntry } from '../token-store/fixtures.js'
import type { CreateTwo } from './fixtures.js'

const clock = systemClock()
const PARALLEL = 50

export async function raceContract (t: ContractTest, create: CreateTwo, rounds: number): Promise<void> {
  await t.test('a token that one instance rotated is detected as reused by the other at once', async () => {
    const { a, b } = await create()
    const user = await aUser(a)
    const session = aSession(user.id, clock, { epoch: user.epoch })
    assert.equal(await b.sessions.start(session), true)
    const rotation = { sessionId: session.id, presented: 'digest-1', next: 'digest-2', grace: 0, sealedSuccessor: null }
    assert.equal((await a.sessions.rotate(rotation)).outcome, 'rotated')
    assert.deepEqual(await b.sessions.rotate({ ...rotation, next: 'digest-3' }), {
      outcome: 'reused',
      userId: user.id,
      orgId: user.orgId
    })
    assert.equal((await a.sessions.rotate({ ...rotation, presented: 'digest-2', next: 'digest-4' })).outcome, 'ended')
  })

  await t.test('counts that both instances add while both sweep are all read, once', async () => {
    const { a, b } = await create()
    const hour = clock.now() - clock.now() % 3_600_000
    const filter = { kind: 'source', from: hour, to: hour + 1 } as const
    for (let round = 0; round < rounds; round++) {
      await Promise.all(Array.from({ length: PARALLEL }, async (_, at) => {
        const store = at % 2 === 0 ? a : b
        const one = { orgId: 'org-a', kind: 'source', id: `source-${at % 5}`, outcome: 'bot', hour, bytes: 2 } as const
        await store.counts.add([{ ...one, events: 1, lastAt: hour }, { ...one, events: 2, lastAt: hour }])
        if (at % 10 < 2) await store.sweep({ auditRetention: 1_000 })
      }))
      for (const store of [a, b]) {
        const totals = await store.counts.totals('org-a', filter)
        assert.equal(totals.reduce((sum, { events }) => sum + events, 0), (round + 1) * 3 * PARALLEL)
      }
    }
  })

  await t.test('exactly one of 50 concurrent rotations of one token over both instances succeeds, and the ' +
    'session ends', async () => {
    const { a, b } = await create()
    const user = await aUser(a)
    for (let round = 0; round < rounds; round++) {
      const session = aSession(user.id, clock, { epoch: (await a.users.get(user.id))?.epoch ?? -1 })
      assert.equal(await a.sessions.start(session), true)
      const outcomes = await Promise.all(
        Array.from({ length: PARALLEL }, async (_, at) =>
          (await (at % 2 === 0 ? a : b).sessions
            .rotate({
              sessionId: session.id,
              presented: 'digest-1',
              next: `next-${at}`,
              grace: 0,
              sealedSuccessor: null
            })).outcome)
      )
      const count = (outcome: string) => outcomes.filter((one) => one === outcome).length
      assert.deepEqual([count('rotated'), count('reused'), count('ended')], [1, 1, PARALLEL - 2])
      assert.deepEqual(await b.sessions.list(user.id), [])
    }
  })

  await t.test('exactly one of many concurrent claims of one key over both instances succeeds', async () => {
    const { a, b } = await create()
    const claims = await Promise.all(
      Array.from({ length: PARALLEL }, (_, at) => (at % 2 === 0 ? a : b).claim('nonce', 60_000))
    )
    assert.equal(claims.filter((won) => won).length, 1)
    for (const store of [a, b]) assert.equal(await store.claim('nonce', 60_000), false)
  })

  await t.test('login failures are counted over both instances, and only the allowed number is reported as ' +
    'wrong', async () => {
    const { a, b } = await create()
    const limits = { max: 5, lockFor: 60_000 }
    const failures = await Promise.all(
      Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? a : b).users.countFailure('subject', limits))
    )
    assert.equal(failures.filter(({ lockedUntil }) => lockedUntil === null).length, 4)
    assert.equal(failures.filter(({ wasLocked }) => wasLocked).length, 15)
    const until = await a.users.lockedUntil('subject')
    assert.notEqual(until, null)
    assert.equal(await b.users.lockedUntil('subject'), until)
    assert.equal(await b.users.clearFailures('subject'), until)
  })

  await t.test('exactly one of several concurrent creations of one email or pipeline key over both instances ' +
    'succeeds', async () => {
    const { a, b } = await create()
    const attempts: Array<(store: typeof a) => Promise<unknown>> = [
      ({ users }) => users.create({ orgId: 'org-a', email: 'a@example.com', passwordHash: 'x', role: 'viewer' })
    ]
    const { pipelineKey } = aSource()
    attempts.push(({ sources }) => sources.create(aSource({ pipelineKey, orgId: 'org-a' })))
    for (const attempt of attempts) {
      const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, at) => attempt(at % 2 === 0 ? a : b)))
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    }
  })

  await t.test('exactly one of many concurrent uses of one link over both instances succeeds', async () => {
    const { a, b } = await create()
    const user = await aUser(a)
    const link = { digest: 'invited', invitedBy: user.id, expiresAt: clock.now() + 60_000 }
    await a.invitations.create({ orgId: 'org-a', email: 'new@example.com', role: 'viewer', ...link })
    await a.accountLinks.startReset({ userId: user.id, digest: 'reset', expiresAt: clock.now() + 60_000 })
    const attempts: Array<(store: typeof a, at: number) => Promise<unknown>> = [
      ({ invitations }, at) => invitations.accept('invited', { passwordHash: `hash-${at}` }),
      ({ accountLinks }, at) => accountLinks.finishReset('reset', `hash-${at}`)
    ]
    for (const attempt of attempts) {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 10 }, (_, at) => attempt(at % 2 === 0 ? a : b, at))
      )
      const succeeded = outcomes.filter((outcome) => outcome.status === 'fulfilled' && outcome.value !== null)
      assert.equal(succeeded.length, 1)
    }
    assert.equal((await b.users.get(user.id))?.epoch, 1)
    assert.equal(await b.users.count(), 2)
  })

  await t.test('both instances list the audit entries of either at once, each entry once', async () => {
    const { a, b } = await create()
    const entries = Array.from({ length: 20 }, (_, at) => anEntry({ timestamp: 1_000 + at }))
    await Promise.all(entries.map((entry, at) => (at % 2 === 0 ? a : b).audit.append([entry])))
    await Promise.all([a, b].map(({ audit }) => audit.append(entries.slice(0, 5))))
    for (const { audit } of [a, b]) {
      assert.deepEqual((await audit.list('org-a', {}, { limit: 100 })).data, [...entries].reverse())
    }
  })

  await t.test('concurrent revocations of one subject over both instances leave one entry with the highest ' +
    'cut-off', async () => {
    const { a, b } = await create()
    const fresh = Array.from({ length: 20 }, (_, at) => aRevocation({ before: 1_000 + (at * 7) % 20 }))
    const revoked = await Promise.all(fresh.map((one, at) => (at % 2 === 0 ? a : b).revocations.revoke(one)))
    assert.equal(new Set(revoked.map(({ id }) => id)).size, 1)
    for (const { revocations } of [a, b]) {
      assert.deepEqual((await revocations.list('org-a', {}, { limit: 10 })).data.map(({ before }) => before), [1_019])
    }
  })

  await t.test('concurrent sweeps of both instances delete no live data', async () => {
    const { a, b } = await create()
    const user = await aUser(a)
    const session = aSession(user.id, clock, { epoch: user.epoch })
    await a.sessions.start(session)
    await a.claim('nonce', 60_000)
    await Promise.all([a, b, a, b].map((store) => store.sweep({ auditRetention: 60_000 })))
    assert.equal((await b.sessions.access(session.id))?.userId, user.id)
    assert.equal(await b.claim('nonce', 60_000), false)
  })

  await t.test('a guest token that one instance sets while the other invalidates its client is never ' +
    'returned', async () => {
    const { a, b } = await create()
    for (let round = 0; round < 10; round++) {
      const mintedAt = clock.now() - 1
      const key = `key-${round}`
      await Promise.all([
        a.guestTokens.set(key, { token: 'x', clientId: 'client', mintedAt, expiresAt: mintedAt + 60_000 }),
        b.guestTokens.invalidate({ clientId: 'client' })
      ])
      for (const { guestTokens } of [b, a]) assert.equal(await guestTokens.get(key), null)
    }
  })
}
