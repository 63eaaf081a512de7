import assert from 'node:assert/strict'

import type { GuestToken } from '../../contracts/token-store/index.js'
import type { ContractClock } from '../clocks.js'
import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

function aToken (clock: ContractClock, fields: Partial<GuestToken> = {}): GuestToken {
  return {
    token: '6c1c9bbb-2c0b-4d5a-8f4f-0d4b5c1e9a01',
    clientId: 'client-1',
    mintedAt: clock.now(),
    expiresAt: clock.now() + 100,
    ...fields
  }
}

export async function guestTokenContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('a guest token is found only under its own key, unchanged', async () => {
    const { store: { guestTokens }, clock } = await create()
    const entry = aToken(clock)
    assert.equal(await guestTokens.get('key-1'), null)
    await guestTokens.set('key-1', entry)
    assert.deepEqual({ ...await guestTokens.get('key-1') }, entry)
    assert.equal(await guestTokens.get('key-2'), null)
    assert.equal(await guestTokens.get('KEY-1'), null)
  })

  await t.test('an expired guest token is not returned, with or without a sweep', async () => {
    const { store, clock } = await create()
    await store.guestTokens.set('key-1', aToken(clock))
    assert.notEqual(await store.guestTokens.get('key-1'), null)
    await clock.advance(100)
    assert.equal(await store.guestTokens.get('key-1'), null)
    await store.sweep({ auditRetention: 1_000 })
    assert.equal(await store.guestTokens.get('key-1'), null)
  })

  await t.test('invalidating a client removes all its tokens at once, and no token of another client', async () => {
    const { store: { guestTokens }, clock } = await create()
    await guestTokens.set('key-1', aToken(clock))
    await guestTokens.set('key-2', aToken(clock))
    await guestTokens.set('key-3', aToken(clock, { clientId: 'client-2' }))
    for (const key of ['key-1', 'key-2', 'key-3']) await guestTokens.get(key)
    await guestTokens.invalidate({ clientId: 'client-1' })
    assert.equal(await guestTokens.get('key-1'), null)
    assert.equal(await guestTokens.get('key-2'), null)
    assert.equal((await guestTokens.get('key-3'))?.clientId, 'client-2')
  })

  await t.test('a token whose request was in flight when its client was invalidated is never returned', async () => {
    const { store, clock } = await create()
    const { guestTokens } = store
    const mintedAt = clock.now()
    await clock.advance(5)
    await guestTokens.invalidate({ clientId: 'client-1' })
    await guestTokens.set('key-1', aToken(clock, { mintedAt }))
    assert.equal(await guestTokens.get('key-1'), null)
    await store.sweep({ auditRetention: 1_000 })
    assert.equal(await guestTokens.get('key-1'), null, 'also after a sweep')

    await clock.advance(5)
    await guestTokens.set('key-1', aToken(clock))
    assert.notEqual(await guestTokens.get('key-1'), null, 'a later token is stored')
  })

  await t.test('a token that was created in the same millisecond as the invalidation is not returned', async () => {
    const { store: { guestTokens }, clock } = await create()
    const mintedAt = clock.now()
    await guestTokens.invalidate({ clientId: 'client-1' })
    await guestTokens.set('key-1', aToken(clock, { mintedAt }))
    assert.equal(await guestTokens.get('key-1'), null)
  })

  await t.test('a newer token replaces an older token, and a late older token replaces no newer token', async () => {
    const { store: { guestTokens }, clock } = await create()
    const older = aToken(clock, { token: 'older' })
    await clock.advance(5)
    const newer = aToken(clock, { token: 'newer' })
    await guestTokens.set('key-1', newer)
    await guestTokens.set('key-1', older)
    assert.equal((await guestTokens.get('key-1'))?.token, 'newer')
    await guestTokens.set('key-2', older)
    await guestTokens.get('key-2')
    await guestTokens.set('key-2', newer)
    assert.equal((await guestTokens.get('key-2'))?.token, 'newer')
  })

  await t.test('client ids are compared exactly', async () => {
    const { store: { guestTokens }, clock } = await create()
    for (const [at, clientId] of AWKWARD_STRINGS.entries()) {
      await guestTokens.set(`key-${at}`, aToken(clock, { clientId, expiresAt: clock.now() + 60_000 }))
    }
    for (const [at, clientId] of AWKWARD_STRINGS.entries()) {
      assert.equal((await guestTokens.get(`key-${at}`))?.clientId, clientId)
      await guestTokens.invalidate({ clientId })
      const left = await Promise.all(AWKWARD_STRINGS.map((_, key) => guestTokens.get(`key-${key}`)))
      assert.deepEqual(
        left.map((entry) => entry === null),
        AWKWARD_STRINGS.map((_, key) => key <= at),
        JSON.stringify(clientId)
      )
    }
  })

  await t.test('changing returned or passed objects does not change the store', async () => {
    const { store: { guestTokens }, clock } = await create()
    const entry = aToken(clock)
    await guestTokens.set('key-1', entry)
    entry.token = 'changed'
    const found = await guestTokens.get('key-1')
    if (found !== null) found.token = 'changed'
    assert.notEqual((await guestTokens.get('key-1'))?.token, 'changed')
  })
}
