import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { aKey, aSource, aSourceKey, atOnce } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

const DAY = 86_400_000

export async function sourceKeyRotationContract (t: ContractTest, create: CreateStore): Promise<void> {
  async function made () {
    const { store, clock } = await create()
    const { id, pipelineKey } = await store.sources.create(aSource())
    const key = await store.sourceKeys.create('org-a', id, aSourceKey({ name: 'Blog', domains: ['https://blog.test'] }))
    if (key === null) throw new Error('expected a key')
    return { clock, id, pipelineKey, key, keys: store.sourceKeys, sources: store.sources }
  }

  await t.test('a rotated named key keeps its id and settings, and its previous value works until the overlap ' +
    'ends', async () => {
    const { sources, keys, clock, id, key, pipelineKey } = await made()
    const usedAt = clock.now()
    await keys.touch([{ pipelineKey: key.pipelineKey, at: usedAt }])
    const [second, third] = [aKey(), aKey()]
    assert.equal(await sources.resolve(second), null)
    const until = clock.now() + 100
    const rotated = await keys.rotate('org-a', id, key.id, { pipelineKey: second, overlapUntil: until })
    const previous = { pipelineKey: key.pipelineKey, expiresAt: until, lastUsedAt: usedAt }
    assert.deepEqual(rotated, { ...key, pipelineKey: second, lastUsedAt: null, previous })
    assert.deepEqual(await keys.get('org-a', id, key.id), rotated)
    const old = await sources.resolve(key.pipelineKey)
    assert.deepEqual([old?.keyExpiresAt, old?.source.domains, old?.keyId], [until, ['https://blog.test'], key.id])
    const next = await sources.resolve(second)
    assert.deepEqual([next?.source.domains, next?.keyId], [['https://blog.test'], key.id])

    await keys.rotate('org-a', id, key.id, { pipelineKey: third, overlapUntil: until })
    assert.equal(await sources.resolve(key.pipelineKey), null, 'an older value ends at once')
    assert.notEqual(await sources.resolve(second), null)
    await clock.advance(100)
    assert.equal(await sources.resolve(second), null)
    assert.equal((await keys.get('org-a', id, key.id))?.previous, null)
    assert.notEqual(await sources.resolve(third), null)
    assert.equal((await sources.get('org-a', id))?.pipelineKey, pipelineKey, "the source's own key stays")
    assert.notEqual(await sources.resolve(pipelineKey), null)
  })

  await t.test('without an overlap the previous value of a named key ends at once', async () => {
    const { sources, keys, clock, id, key } = await made()
    await atOnce(() => sources.resolve(key.pipelineKey))
    const rotated = await keys.rotate('org-a', id, key.id, { pipelineKey: aKey(), overlapUntil: clock.now() })
    assert.equal(rotated?.previous, null)
    assert.equal(await sources.resolve(key.pipelineKey), null)
    assert.equal((await keys.list('org-a', id))?.length, 2)
    const refused = sources.create(aSource({ orgId: 'org-b', pipelineKey: key.pipelineKey }))
    await assert.rejects(refused, { code: 'CONFLICT' }, 'it stays with its organisation')
  })

  await t.test('a rotation of the key without a name is a rotation of the source, and keeps the id', async () => {
    const { sources, keys, clock, id, pipelineKey, key } = await made()
    const own = (await keys.list('org-a', id))?.[0]
    assert.ok(own !== undefined)
    const before = await sources.get('org-a', id)
    await clock.advance(2)
    const [second, third] = [aKey(), aKey()]
    const overlapUntil = clock.now() + DAY
    const rotated = await keys.rotate('org-a', id, own.id, { pipelineKey: second, overlapUntil })
    assert.deepEqual([rotated?.id, rotated?.pipelineKey, rotated?.previous?.pipelineKey], [own.id, second, pipelineKey])
    const source = await sources.get('org-a', id)
    assert.equal(source?.pipelineKey, second)
    assert.ok(source.updatedAt > (before?.updatedAt ?? Infinity))
    await sources.rotateKey('org-a', id, { pipelineKey: third, overlapUntil })
    const list = await keys.list('org-a', id)
    assert.deepEqual(list?.map(({ id }) => id), [own.id, key.id])
    assert.deepEqual([list[0]?.pipelineKey, list[0]?.previous?.pipelineKey], [third, second])
    assert.equal(await sources.resolve(pipelineKey), null)
    assert.notEqual(await sources.resolve(key.pipelineKey), null, 'named keys stay')
  })

  await t.test('a previous value is disabled, renamed and deleted with its key, and never outlives it', async () => {
    const { sources, keys, clock, id, key } = await made()
    const next = aKey()
    const expiresAt = clock.now() + 50_000
    const earlier = expiresAt - 10_000
    await keys.update('org-a', id, key.id, { expiresAt })
    await keys.rotate('org-a', id, key.id, { pipelineKey: next, overlapUntil: clock.now() + DAY })
    assert.equal((await sources.resolve(key.pipelineKey))?.keyExpiresAt, expiresAt, 'the overlap is cut at the expiry')
    await keys.update('org-a', id, key.id, { enabled: false, name: 'Journal', domains: null })
    assert.equal(await sources.resolve(key.pipelineKey), null)
    await keys.update('org-a', id, key.id, { enabled: true, expiresAt: earlier })
    const old = await sources.resolve(key.pipelineKey)
    assert.deepEqual([old?.keyExpiresAt, old?.source.domains.length], [earlier, 2])
    await keys.update('org-a', id, key.id, { expiresAt: null })
    assert.equal((await keys.get('org-a', id, key.id))?.previous?.expiresAt, earlier)
    await keys.delete('org-a', id, key.id)
    assert.equal(await sources.resolve(key.pipelineKey), null)
    assert.equal(await sources.resolve(next), null)
  })

  await t.test('a taken value or an expired key is a conflict, and nothing changes', async () => {
    const { sources, keys, clock, id, key, pipelineKey } = await made()
    for (const taken of [key.pipelineKey, pipelineKey]) {
      for (const overlapUntil of [0, clock.now() + DAY]) {
        const refused = keys.rotate('org-a', id, key.id, { pipelineKey: taken, overlapUntil })
        await assert.rejects(refused, { code: 'CONFLICT' })
      }
    }
    assert.deepEqual(await keys.get('org-a', id, key.id), key)
    assert.notEqual(await sources.resolve(key.pipelineKey), null)
    await keys.update('org-a', id, key.id, { expiresAt: clock.now() })
    const late = keys.rotate('org-a', id, key.id, { pipelineKey: aKey(), overlapUntil: 0 })
    await assert.rejects(late, { code: 'CONFLICT' })
  })

  await t.test('keys that end soon are found for one and for all organisations, the earliest first', async () => {
    const { sources, keys, clock, id, key } = await made()
    const now = clock.now()
    const { id: other } = await sources.create(aSource({ orgId: 'org-b', name: 'Other' }))
    await keys.create('org-b', other, aSourceKey({ name: 'Soon', expiresAt: now + 20_000 }))
    await keys.create('org-a', id, aSourceKey({ expiresAt: now + 90_000 }))
    await keys.create('org-a', id, aSourceKey({ expiresAt: now + 10_500, enabled: false }))
    await keys.create('org-a', id, aSourceKey({ expiresAt: now - 1 }))
    await keys.create('org-a', id, aSourceKey())
    await keys.rotate('org-a', id, key.id, { pipelineKey: aKey(), overlapUntil: now + 30_000 })
    await sources.rotateKey('org-a', id, { pipelineKey: aKey(), overlapUntil: now + 10_000 })
    const shop = { orgId: 'org-a', sourceId: id, sourceName: 'Shop', replaced: true }
    const own = { ...shop, name: null, expiresAt: now + 10_000 }
    const named = { ...shop, name: 'Blog', expiresAt: now + 30_000 }
    const soon = {
      orgId: 'org-b', sourceId: other, sourceName: 'Other', name: 'Soon', replaced: false, expiresAt: now + 20_000
    }
    assert.deepEqual(await keys.ending({ before: now + 50_000, limit: 10 }), [own, soon, named])
    assert.deepEqual(await keys.ending({ before: now + 50_000, limit: 2 }), [own, soon])
    assert.deepEqual(await keys.ending({ orgId: 'org-a', before: now + 50_000, limit: 10 }), [own, named])
    assert.deepEqual(await keys.ending({ orgId: 'org-c', before: now + 50_000, limit: 10 }), [])
  })
}
