import t from 'tap'

import { memoryStore } from '../../../plugins/token-store/memory/index.js'
import { manualClock, systemClock } from '../../../conformance/clocks.js'
import { tokenStoreContract } from '../../../conformance/token-store/index.js'
import { aSource, anEntry } from '../../../conformance/token-store/fixtures.js'

t.test('the memory store keeps the contract', async (t) => {
  await tokenStoreContract(t, async ({ now }) => memoryStore({ now }), () => manualClock())
})

t.test('the memory store keeps the contract with the system clock', async (t) => {
  await tokenStoreContract(t, async () => memoryStore(), systemClock)
})

t.test('at capacity a claim is refused with UNAVAILABLE and no claim is dropped, and expired ' +
  'claims make room', async (t) => {
  const clock = manualClock()
  const store = memoryStore({ now: clock.now, maxClaims: 3 })
  for (const [key, ttl] of [['a', 100], ['b', 200], ['c', 300]] as const) t.equal(await store.claim(key, ttl), true)
  await t.rejects(store.claim('d', 50), { code: 'UNAVAILABLE', statusCode: 503 })
  for (const key of ['a', 'b', 'c']) t.equal(await store.claim(key, 50), false)
  await clock.advance(100)
  t.equal(await store.claim('d', 50), true)
  await t.rejects(store.claim('e', 50), { code: 'UNAVAILABLE' })
  t.equal(await store.claim('b', 50), false)
  await clock.advance(50)
  t.equal(await store.claim('e', 50), true, 'a claim that expires before older claims makes room')
  await clock.advance(1_000)
  t.equal(await store.claim('a', 50), true)
})

t.test('the audit trail keeps the newest 10 000 entries', async (t) => {
  const { audit } = memoryStore()
  for (let at = 0; at < 10_005; at += 5) {
    await audit.append(Array.from({ length: 5 }, (_, index) => anEntry({ timestamp: at + index })))
  }
  const oldest = await audit.list('org-a', { to: 9 }, { limit: 100 })
  t.same(oldest.data.map(({ timestamp }) => timestamp), [9, 8, 7, 6, 5])
})

t.test('the login failures of many subjects are bounded, and failures a day apart do not add up', async (t) => {
  const clock = manualClock()
  const { users, sweep } = memoryStore({ now: clock.now })
  const limits = { max: 2, lockFor: 60_000 }
  await users.countFailure('first', limits)
  for (let at = 0; at < 100_000; at++) await users.countFailure(`made-up-${at}`, limits)
  t.equal((await users.countFailure('first', limits)).lockedUntil, null, 'the oldest failure was dropped')
  t.type((await users.countFailure('made-up-99999', limits)).lockedUntil, 'number')
  await clock.advance(86_400_000)
  t.equal((await users.countFailure('first', limits)).lockedUntil, null, 'failures a day apart are not consecutive')
  await sweep({ auditRetention: 1 })
})

t.test('the number of guest tokens is bounded, and the least recently used token is dropped', async (t) => {
  const { guestTokens } = memoryStore()
  const entry = { token: 'x', clientId: 'c', mintedAt: Date.now(), expiresAt: Date.now() + 60_000 }
  for (let at = 0; at <= 10_000; at++) await guestTokens.set(`key-${at}`, entry)
  t.equal(await guestTokens.get('key-0'), null)
  t.not(await guestTokens.get('key-10000'), null)
})

t.test('resolve returns the same object until the source changes', async (t) => {
  const { sources } = memoryStore()
  const { id, pipelineKey } = await sources.create(aSource())
  const first = sources.resolve(pipelineKey)
  t.equal(sources.resolve(pipelineKey), first)
  await sources.update('org-a', id, { name: 'New' })
  t.not(sources.resolve(pipelineKey), first)
})
