import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

export async function claimContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('a key can be claimed once until its claim expires, then once more', async () => {
    const { store, clock } = await create()
    assert.equal(await store.claim('nonce', 200), true)
    assert.equal(await store.claim('nonce', 200), false)
    await clock.advance(100)
    assert.equal(await store.claim('nonce', 10_000), false, 'a refusal does not extend the claim')
    await store.sweep({ auditRetention: 1_000 })
    assert.equal(await store.claim('nonce', 200), false, 'a sweep does not end it')
    await clock.advance(100)
    assert.equal(await store.claim('nonce', 200), true)
    assert.equal(await store.claim('nonce', 200), false)
    await clock.advance(200)
    await store.sweep({ auditRetention: 1_000 })
    assert.equal(await store.claim('nonce', 200), true)
  })

  await t.test('exactly one of many concurrent claims of one key succeeds, also when an old claim has just ' +
    'expired', async () => {
    const { store, clock } = await create()
    for (let round = 0; round < 5; round++) {
      const results = await Promise.all(Array.from({ length: 50 }, () => store.claim('nonce', 100)))
      assert.equal(results.filter((won) => won).length, 1)
      await clock.advance(100)
    }
  })

  await t.test('of concurrent claims of several keys exactly one of each key succeeds', async () => {
    const { store } = await create()
    assert.equal(await store.claim('taken', 60_000), true)
    const keys = ['c', 'a', 'taken', 'b', 'a', 'c', 'taken', 'a']
    const results = await Promise.all(keys.map((key) => store.claim(key, 60_000)))
    const claimed = keys.filter((_key, at) => results[at])
    assert.deepEqual(claimed.toSorted(), ['a', 'b', 'c'])
  })

  await t.test('keys are compared exactly', async () => {
    const { store } = await create()
    for (const key of [...AWKWARD_STRINGS, 'x'.repeat(8_192), `${'x'.repeat(8_192)}y`]) {
      assert.equal(await store.claim(key, 60_000), true, JSON.stringify(key.slice(0, 40)))
      assert.equal(await store.claim(key, 60_000), false)
    }
  })

  await t.test('a time to live that would disable the protection is refused', async () => {
    const { store } = await create()
    for (const ttl of [0, -1, NaN]) await assert.rejects(store.claim('nonce', ttl))
    assert.equal(await store.claim('for-ever', Infinity), true)
    assert.equal(await store.claim('for-ever', 1), false)
  })

  await t.test('ready resolves for an available store', async () => {
    const { store } = await create()
    await store.ready()
    await store.close()
  })
}
