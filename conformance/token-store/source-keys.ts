import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, aKey, aSource, aSourceKey, atOnce } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

const DAY = 86_400_000

export async function sourceKeyContract (t: ContractTest, create: CreateStore): Promise<void> {
  async function made () {
    const { store, clock } = await create()
    const { id, pipelineKey } = await store.sources.create(aSource())
    return { store, clock, id, pipelineKey, keys: store.sourceKeys }
  }

  await t.test('a source has one key without a name, which is listed first', async () => {
    const { keys, clock, id, pipelineKey } = await made()
    const [own, ...others] = await keys.list('org-a', id) ?? []
    assert.ok(own !== undefined)
    assert.deepEqual(others, [])
    const { id: keyId, createdAt, ...rest } = own
    assert.ok(typeof keyId === 'string' && keyId !== '')
    assert.ok(Math.abs((createdAt ?? 0) - clock.now()) < 10_000)
    assert.deepEqual(rest, {
      sourceId: id,
      pipelineKey,
      name: null,
      domains: null,
      enabled: true,
      expiresAt: null,
      lastUsedAt: null,
      previous: null
    })
    const first = await keys.create('org-a', id, aSourceKey())
    await clock.advance(2)
    const second = await keys.create('org-a', id, aSourceKey())
    assert.deepEqual(await keys.list('org-a', id), [own, second, first])
  })

  await t.test('a named key is read back as it was created, and resolves to its source', async () => {
    const { store: { sources }, keys, clock, id, pipelineKey } = await made()
    const fresh = aSourceKey({ name: 'Blog', domains: ['https://blog.example.com'], expiresAt: clock.now() + DAY })
    assert.equal(await sources.resolve(fresh.pipelineKey), null)
    const key = await keys.create('org-a', id, fresh)
    assert.ok(key !== null)
    const { id: keyId, createdAt } = key
    assert.deepEqual(key, { ...fresh, id: keyId, sourceId: id, lastUsedAt: null, createdAt, previous: null })
    assert.deepEqual(await keys.get('org-a', id, keyId), key)
    const resolved = await sources.resolve(fresh.pipelineKey)
    assert.deepEqual([resolved?.source.id, resolved?.source.pipelineKey, resolved?.key, resolved?.keyExpiresAt],
      [id, pipelineKey, fresh.pipelineKey, fresh.expiresAt])
    assert.equal(resolved?.keyId, keyId)
    const other = await sources.resolve(pipelineKey)
    assert.deepEqual([other?.source.id, other?.keyId], [id, null], 'the other key still works')
    assert.equal((await sources.list('org-a', { limit: 10 })).data.length, 1, 'the source is listed once')
  })

  await t.test('the domains of a key replace those of the source, also for any and null origins', async () => {
    const { store: { sources }, keys, id, pipelineKey } = await made()
    await sources.update('org-a', id, { allowAnyOrigin: true, allowNullOrigin: true })
    const blog = await keys.create('org-a', id, aSourceKey({ domains: ['https://blog.test'] }))
    const none = await keys.create('org-a', id, aSourceKey({ domains: [] }))
    const same = await keys.create('org-a', id, aSourceKey())
    const rules = async (key: string) => {
      const { domains, allowAnyOrigin, allowNullOrigin } = (await sources.resolve(key))?.source ?? {}
      return [domains, allowAnyOrigin, allowNullOrigin]
    }
    const ofSource = [['https://shop.example.com', '*.example.org'], true, true]
    assert.deepEqual(await rules(blog?.pipelineKey ?? ''), [['https://blog.test'], false, false])
    assert.deepEqual(await rules(none?.pipelineKey ?? ''), [[], false, false])
    assert.deepEqual(await rules(same?.pipelineKey ?? ''), ofSource)
    assert.deepEqual(await rules(pipelineKey), ofSource)
    assert.ok(Object.isFrozen((await sources.resolve(blog?.pipelineKey ?? ''))?.source.domains))
    await keys.update('org-a', id, blog?.id ?? '', { domains: null })
    assert.deepEqual(await rules(blog?.pipelineKey ?? ''), ofSource)
  })

  await t.test('origins contains the domains of keys that work, of enabled sources', async () => {
    const { store: { sources }, keys, clock, id } = await made()
    await sources.update('org-a', id, { domains: [] })
    const domains = async () => (await sources.origins()).flatMap((origins) => origins.domains).sort()
    const a = await keys.create('org-a', id, aSourceKey({ domains: ['https://a.test'] }))
    const b = await keys.create('org-a', id, aSourceKey({ domains: ['https://b.test'] }))
    await keys.create('org-a', id, aSourceKey({ domains: ['https://off.test'], enabled: false }))
    await keys.create('org-a', id, aSourceKey({ domains: ['https://old.test'], expiresAt: clock.now() - 1 }))
    assert.deepEqual(await domains(), ['https://a.test', 'https://b.test'])
    await atOnce(() => sources.origins())
    await keys.update('org-a', id, a?.id ?? '', { domains: ['https://c.test'] })
    assert.deepEqual(await domains(), ['https://b.test', 'https://c.test'])
    await keys.delete('org-a', id, b?.id ?? '')
    assert.deepEqual(await domains(), ['https://c.test'])
    await sources.update('org-a', id, { enabled: false })
    assert.deepEqual(await domains(), [])
  })

  await t.test('a disabled or deleted key does not resolve, at once on the same instance', async () => {
    const { store: { sources }, keys, id } = await made()
    const key = await keys.create('org-a', id, aSourceKey())
    assert.ok(key !== null)
    await atOnce(() => sources.resolve(key.pipelineKey))
    assert.equal((await keys.update('org-a', id, key.id, { enabled: false }))?.enabled, false)
    assert.equal(await sources.resolve(key.pipelineKey), null)
    await keys.update('org-a', id, key.id, { enabled: true })
    assert.notEqual(await sources.resolve(key.pipelineKey), null)
    assert.equal((await keys.delete('org-a', id, key.id))?.pipelineKey, key.pipelineKey)
    assert.equal(await sources.resolve(key.pipelineKey), null)
    assert.equal(await keys.get('org-a', id, key.id), null)
    assert.equal(await keys.delete('org-a', id, key.id), null)
  })

  await t.test('a key expires at its time, also from the cache, and a later expiry makes it valid again', async () => {
    const { store: { sources }, keys, clock, id } = await made()
    const key = await keys.create('org-a', id, aSourceKey({ expiresAt: clock.now() + 100 }))
    assert.ok(key !== null)
    await atOnce(() => sources.resolve(key.pipelineKey))
    await clock.advance(60)
    assert.notEqual(await sources.resolve(key.pipelineKey), null)
    await clock.advance(40)
    assert.equal(await sources.resolve(key.pipelineKey), null)
    assert.equal((await keys.get('org-a', id, key.id))?.pipelineKey, key.pipelineKey, 'an expired key is listed')
    await keys.update('org-a', id, key.id, { expiresAt: clock.now() + DAY })
    assert.notEqual(await sources.resolve(key.pipelineKey), null)
  })

  await t.test('a patch changes only its own members, and unusual strings are read unchanged', async () => {
    const { keys, clock, id } = await made()
    let key = await keys.create('org-a', id, aSourceKey())
    assert.ok(key !== null)
    for (
      const patch of [{}, { name: 'New' }, { domains: ['https://a.test'] }, { domains: [] }, { domains: null },
        { enabled: false }, { enabled: true }, { expiresAt: clock.now() + DAY }, { expiresAt: null },
        { name: undefined }, ...AWKWARD_STRINGS.map((text) => ({ name: text, domains: [text] }))]
    ) {
      const defined = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
      key = { ...key, ...defined }
      assert.deepEqual(await keys.update('org-a', id, key.id, patch), key)
      assert.deepEqual(await keys.get('org-a', id, key.id), key)
    }
  })

  await t.test('a name is unique within a source', async () => {
    const { store: { sources }, keys, id } = await made()
    const key = await keys.create('org-a', id, aSourceKey({ name: 'Blog' }))
    const fresh = aSourceKey({ name: 'Blog' })
    await assert.rejects(keys.create('org-a', id, fresh), { code: 'CONFLICT' })
    assert.equal(await sources.resolve(fresh.pipelineKey), null)
    const other = await keys.create('org-a', id, aSourceKey({ name: 'blog' }))
    await assert.rejects(keys.update('org-a', id, other?.id ?? '', { name: 'Blog' }), { code: 'CONFLICT' })
    assert.equal((await keys.update('org-a', id, key?.id ?? '', { name: 'Blog' }))?.name, 'Blog')
    const { id: second } = await sources.create(aSource())
    assert.notEqual(await keys.create('org-a', second, aSourceKey({ name: 'Blog' })), null)
  })

  await t.test('the key without a name cannot be changed or deleted', async () => {
    const { store: { sources }, keys, id, pipelineKey } = await made()
    const before = await keys.list('org-a', id)
    const own = before?.[0]?.id ?? ''
    await assert.rejects(keys.update('org-a', id, own, { name: 'Mine' }), { code: 'CONFLICT' })
    await assert.rejects(keys.delete('org-a', id, own), { code: 'CONFLICT' })
    assert.deepEqual(await keys.list('org-a', id), before)
    assert.notEqual(await sources.resolve(pipelineKey), null)
  })

  await t.test('a source gets as many named keys as its quota, also when they are created concurrently', async () => {
    const { keys, id } = await made()
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, () => keys.create('org-a', id, aSourceKey({ quota: 3 })))
    )
    for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'CONFLICT')
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 3)
    const list = await keys.list('org-a', id) ?? []
    assert.equal(list.length, 4)
    await keys.delete('org-a', id, list[1]?.id ?? '')
    assert.notEqual(await keys.create('org-a', id, aSourceKey({ quota: 3 })), null)
  })

  await t.test('another organisation or source cannot read or change a key', async () => {
    const { store: { sources }, keys, id } = await made()
    const { id: other } = await sources.create(aSource())
    const { id: foreign } = await sources.create(aSource({ orgId: 'org-b' }))
    const key = await keys.create('org-a', id, aSourceKey())
    assert.ok(key !== null)
    for (
      const [orgId, sourceId] of [['org-b', id], ['', id], ['org-a', other], ['org-b', foreign], ['org-a', 'x'],
        ['org-a', '\u0000']] as const
    ) {
      assert.equal(await keys.get(orgId, sourceId, key.id), null)
      assert.equal(await keys.update(orgId, sourceId, key.id, { enabled: false }), null)
      assert.equal(await keys.rotate(orgId, sourceId, key.id, { pipelineKey: aKey(), overlapUntil: 0 }), null)
      assert.equal(await keys.delete(orgId, sourceId, key.id), null)
    }
    for (const [orgId, sourceId] of [['org-b', id], ['org-a', 'x']] as const) {
      assert.equal(await keys.list(orgId, sourceId), null)
      assert.equal(await keys.create(orgId, sourceId, aSourceKey()), null)
    }
    for (const keyId of ['', 'x', '\u0000', key.id.toUpperCase()]) {
      assert.equal(await keys.get('org-a', id, keyId), null)
    }
    assert.deepEqual(await keys.get('org-a', id, key.id), key)
  })

  await t.test('a pipeline key that is in use or invalid is refused, and a deleted key stays with its ' +
    'organisation', async () => {
    const { store, keys, clock, id, pipelineKey } = await made()
    const { sources } = store
    const other = await sources.create(aSource({ orgId: 'org-b' }))
    const disabled = await keys.create('org-a', id, aSourceKey({ enabled: false }))
    const ended = await keys.create('org-a', id, aSourceKey({ expiresAt: clock.now() + 50 }))
    const gone = await keys.create('org-a', id, aSourceKey())
    await keys.delete('org-a', id, gone?.id ?? '')
    await clock.advance(50)
    for (const taken of [pipelineKey, other.pipelineKey, disabled?.pipelineKey ?? '']) {
      await assert.rejects(keys.create('org-a', id, aSourceKey({ pipelineKey: taken })), { code: 'CONFLICT' })
      await assert.rejects(sources.create(aSource({ pipelineKey: taken })), { code: 'CONFLICT' })
    }
    for (const reserved of [disabled?.pipelineKey ?? '', ended?.pipelineKey ?? '', gone?.pipelineKey ?? '']) {
      const refused = sources.create(aSource({ orgId: 'org-b', pipelineKey: reserved }))
      await assert.rejects(refused, { code: 'CONFLICT' })
    }
    await assert.rejects(keys.create('org-a', id, aSourceKey({ pipelineKey: 'x' })), { code: 'INVALID_REQUEST' })
    for (const reserved of [ended?.pipelineKey ?? '', gone?.pipelineKey ?? '']) {
      const heir = await sources.create(aSource({ pipelineKey: reserved }))
      assert.deepEqual((await sources.resolve(reserved))?.source, heir)
      assert.deepEqual((await keys.list('org-a', heir.id))?.map(({ name }) => name), [null])
    }
    assert.equal((await keys.list('org-a', id))?.length, 2, 'the ended key has moved to the other source')
  })

  await t.test('named keys end with their source, and with a change of its environment', async () => {
    const { store: { sources }, keys, id, pipelineKey } = await made()
    const key = await keys.create('org-a', id, aSourceKey())
    await sources.update('org-a', id, { environment: 'live', name: 'Same environment' })
    assert.notEqual(await sources.resolve(key?.pipelineKey ?? ''), null)
    await sources.update('org-a', id, { environment: 'test' })
    assert.equal(await sources.resolve(key?.pipelineKey ?? ''), null)
    assert.deepEqual((await keys.list('org-a', id))?.map((key) => key.pipelineKey), [pipelineKey])
    const next = await keys.create('org-a', id, aSourceKey())
    await atOnce(() => sources.resolve(next?.pipelineKey ?? ''))
    await sources.delete('org-a', id)
    assert.equal(await sources.resolve(next?.pipelineKey ?? ''), null)
    assert.equal(await keys.list('org-a', id), null)
  })

  await t.test('sweep keeps an expired key for 30 days', async () => {
    const { store, keys, clock, id } = await made()
    const gone = await keys.create('org-a', id, aSourceKey({ expiresAt: clock.now() - 30 * DAY - 1 }))
    const recent = await keys.create('org-a', id, aSourceKey({ expiresAt: clock.now() - DAY }))
    const endless = await keys.create('org-a', id, aSourceKey())
    await store.sweep({ auditRetention: DAY })
    const list = await keys.list('org-a', id)
    assert.deepEqual(list?.flatMap(({ id, name }) => name === null ? [] : [id]).sort(),
      [recent?.id, endless?.id].sort())
    const refused = store.sources.create(aSource({ orgId: 'org-b', pipelineKey: gone?.pipelineKey ?? '' }))
    await assert.rejects(refused, { code: 'CONFLICT' })
  })

  await t.test('the last use of a key is the latest use, and unknown keys are ignored', async () => {
    const { keys, clock, id, pipelineKey } = await made()
    const key = await keys.create('org-a', id, aSourceKey())
    const named = key?.pipelineKey ?? ''
    const lastUses = async () => (await keys.list('org-a', id))?.map(({ lastUsedAt }) => lastUsedAt)
    const at = clock.now()
    await keys.touch([])
    await keys.touch([{ pipelineKey: named, at: at + 5 }, { pipelineKey: aKey(), at }, { pipelineKey: '\u0000', at }])
    assert.deepEqual(await lastUses(), [null, at + 5])
    await keys.touch([{ pipelineKey: named, at }, { pipelineKey, at }, { pipelineKey, at: at + 1 }])
    assert.deepEqual(await lastUses(), [at + 1, at + 5])
  })
}
