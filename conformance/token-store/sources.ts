import assert from 'node:assert/strict'

import type { SourcePatch } from '../../contracts/token-store/index.js'
import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, BAD_CURSORS, aKey, aSource, allPages } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

export async function sourceContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('a source is read back as it was created, with an id and the prefix of its secret', async () => {
    const { store: { sources }, clock } = await create()
    const fresh = aSource({
      rateLimit: 25,
      bots: 'drop',
      signedRepeats: 'drop',
      keepRefused: true,
      dailyQuota: 1000,
      monthlyQuota: 30_000_000_000,
      allowNullOrigin: true,
      serverSecret: 'Rk7-wq2Lm9xTz4Vb-elsewhere'
    })
    const source = await sources.create(fresh)
    const { serverSecret, ...rest } = fresh
    assert.equal(typeof source.id, 'string')
    assert.ok(source.serverSecretPrefix.length >= 4 && source.serverSecretPrefix.length <= 8)
    assert.ok(serverSecret.startsWith(source.serverSecretPrefix))
    assert.ok(Math.abs(source.createdAt - clock.now()) < 10_000)
    const { id, serverSecretPrefix, createdAt } = source
    assert.deepEqual(source, { ...rest, id, serverSecretPrefix, createdAt, updatedAt: createdAt })
    assert.deepEqual(await sources.get('org-a', source.id), source)
  })

  await t.test('no returned source contains its server secret', async () => {
    const { store: { sources } } = await create()
    const serverSecret = 'k3j4h5g6f7d8s9a0q1w2e3r4t5y6u7i8'
    const { id } = await sources.create(aSource({ serverSecret }))
    const next = 'p0o9i8u7y6t5r4e3w2q1m2n3b4v5c6x7'
    const rotated = await sources.rotateSecret('org-a', id, { serverSecret: next, overlapUntil: 0 })
    const seen = JSON.stringify([rotated, await sources.get('org-a', id), await sources.list('org-a', { limit: 10 }),
      await sources.update('org-a', id, {})])
    for (const secret of [serverSecret, next]) {
      assert.ok(!seen.includes(secret))
      assert.ok(!seen.includes(secret.slice(0, 9)))
    }
    const short = await sources.create(aSource({ serverSecret: 'abc', allowWeakSecret: true }))
    assert.equal(short.serverSecretPrefix, '', 'a short secret is not shown at all')
  })

  await t.test('a server secret that is easy to guess is refused unless the caller allows it', async () => {
    const { store: { sources } } = await create()
    const { id, pipelineKey } = await sources.create(aSource({ serverSecret: 'p0o9i8u7y6t5r4e3' }))
    for (
      const serverSecret of ['a', 'hex:00112233445566778899aabbccddee', 'your-256-bit-secret',
        `base64:${Buffer.from('your-256-bit-secret').toString('base64')}`]
    ) {
      const fresh = aSource({ serverSecret })
      await assert.rejects(sources.create(fresh), { code: 'INVALID_REQUEST' }, serverSecret)
      await assert.rejects(sources.rotateSecret('org-a', id, { serverSecret, overlapUntil: 0 }), {
        code: 'INVALID_REQUEST'
      }, serverSecret)
      assert.equal(await sources.resolve(fresh.pipelineKey), null)
      assert.equal((await sources.resolve(pipelineKey))?.secrets[0]?.value.toString(), 'p0o9i8u7y6t5r4e3')
      assert.notEqual(await sources.create({ ...fresh, allowWeakSecret: true }), null)
    }
    assert.notEqual(
      await sources.rotateSecret('org-a', id, { serverSecret: 'a', overlapUntil: 0, allowWeakSecret: true }),
      null
    )
    assert.equal((await sources.resolve(pipelineKey))?.secrets[0]?.value.toString(), 'a')
  })

  await t.test('a patch changes only its own properties', async () => {
    const { store: { sources }, clock } = await create()
    const source = await sources.create(aSource())
    const patches: SourcePatch[] = [
      { name: 'New' },
      { domains: [] },
      { domains: ['https://a.test'] },
      { allowAnyOrigin: true },
      { allowNullOrigin: true },
      { allowNullOrigin: false },
      { requireSignature: 'always' },
      { requireTimestamp: true },
      { enabled: false },
      { rateLimit: 5 },
      { rateLimit: null },
      { pixelTypes: ['identify'] },
      { bots: 'drop' },
      { bots: 'ignore' },
      { signedRepeats: 'drop' },
      { keepRefused: true },
      { dailyQuota: 10 },
      { monthlyQuota: 30_000_000_000 },
      { dailyQuota: null, monthlyQuota: null },
      { environment: 'test' },
      { environment: undefined },
      {}
    ]
    let expected = source
    for (const patch of patches) {
      await clock.advance(2)
      const updated = await sources.update('org-a', source.id, patch)
      const defined = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
      assert.ok(updated !== null && updated.updatedAt > expected.updatedAt)
      expected = { ...expected, ...defined, updatedAt: updated.updatedAt }
      assert.deepEqual(updated, expected)
      assert.deepEqual(await sources.get('org-a', source.id), expected)
    }
  })

  await t.test('a patch cannot change properties that are not settings', async () => {
    const { store: { sources } } = await create()
    const source = await sources.create(aSource())
    const patch = {
      id: 'x',
      orgId: 'org-b',
      org_id: 'org-b',
      pipelineKey: aKey(),
      serverSecretPrefix: 'x',
      createdAt: 1,
      constructor: 1
    }
    const updated = await sources.update('org-a', source.id, patch as SourcePatch)
    assert.deepEqual({ ...updated, updatedAt: source.updatedAt }, source)
  })

  await t.test('another organisation cannot read, change, rotate or delete a source', async () => {
    const { store: { sources } } = await create()
    const source = await sources.create(aSource())
    await sources.create(aSource({ orgId: 'org-b' }))
    for (
      const [orgId, id] of [['org-b', source.id], ['', source.id], ['ORG-A', source.id], ['org-a',
        source.id.toUpperCase()], ['org-a', 'x'], ['org-a', '\u0000']] as const
    ) {
      assert.equal(await sources.get(orgId, id), null)
      assert.equal(await sources.update(orgId, id, { name: 'Mine' }), null)
      assert.equal(await sources.rotateKey(orgId, id, { pipelineKey: aKey(), overlapUntil: 0 }), null)
      assert.equal(
        await sources.rotateSecret(orgId, id, { serverSecret: 'p0o9i8u7y6t5r4e3w2q1', overlapUntil: 0 }),
        null
      )
      assert.equal(await sources.delete(orgId, id), false)
    }
    assert.deepEqual(await sources.get('org-a', source.id), source)
    assert.equal((await sources.list('org-b', { limit: 100 })).data.length, 1)
    assert.equal((await sources.list('org-c', { limit: 100 })).data.length, 0)
    assert.notEqual(await sources.resolve(source.pipelineKey), null)
  })

  await t.test('a pipeline key that any organisation uses is a conflict, and no source changes', async () => {
    const { store: { sources }, clock } = await create()
    const one = await sources.create(aSource())
    const two = await sources.create(aSource({ orgId: 'org-b' }))
    await assert.rejects(sources.create(aSource({ pipelineKey: two.pipelineKey })), { code: 'CONFLICT' })
    for (const pipelineKey of [two.pipelineKey, one.pipelineKey]) {
      await assert.rejects(sources.rotateKey('org-a', one.id, { pipelineKey, overlapUntil: 0 }), { code: 'CONFLICT' })
    }
    assert.deepEqual(await sources.get('org-a', one.id), one)
    assert.equal((await sources.resolve(one.pipelineKey))?.source.id, one.id)
    assert.equal((await sources.resolve(two.pipelineKey))?.source.id, two.id)
    assert.equal((await sources.list('org-a', { limit: 100 })).data.length, 1)

    await sources.rotateKey('org-a', one.id, { pipelineKey: aKey(), overlapUntil: clock.now() + 100 })
    await assert.rejects(
      sources.create(aSource({ pipelineKey: one.pipelineKey })),
      { code: 'CONFLICT' },
      'in use during its overlap'
    )
    await clock.advance(100)
    const heir = await sources.create(aSource({ pipelineKey: one.pipelineKey }))
    assert.equal((await sources.resolve(one.pipelineKey))?.source.id, heir.id, 'free after its overlap')
  })

  await t.test('an expired key stays with its organisation, and no other organisation can use it, also long after a ' +
    'sweep', async () => {
    const { store, clock } = await create()
    const { sources } = store
    const [deleted, replaced, ended, between] = [aKey(), aKey(), aKey(), aKey()]
    await sources.delete('org-a', (await sources.create(aSource({ pipelineKey: deleted }))).id)
    const one = await sources.create(aSource({ pipelineKey: replaced }))
    await sources.rotateKey('org-a', one.id, { pipelineKey: between, overlapUntil: 0 })
    const two = await sources.create(aSource({ pipelineKey: ended }))
    await sources.rotateKey('org-a', two.id, { pipelineKey: aKey(), overlapUntil: clock.now() + 100 })
    await sources.rotateKey('org-a', one.id, { pipelineKey: aKey(), overlapUntil: clock.now() + 10_000 })
    await sources.rotateKey('org-a', one.id, { pipelineKey: aKey(), overlapUntil: 0 })
    const other = await sources.create(aSource({ orgId: 'org-b' }))
    await clock.advance(100)
    for (const pipelineKey of [deleted, replaced, ended, between]) {
      for (let sweeps = 0; sweeps < 2; sweeps++) {
        assert.equal(await sources.resolve(pipelineKey), null)
        await assert.rejects(sources.create(aSource({ orgId: 'org-b', pipelineKey })), { code: 'CONFLICT' })
        await assert.rejects(sources.rotateKey('org-b', other.id, { pipelineKey, overlapUntil: 0 }), {
          code: 'CONFLICT'
        })
        await store.sweep({ auditRetention: 1_000 })
      }
      const heir = await sources.create(aSource({ pipelineKey }))
      assert.equal((await sources.resolve(pipelineKey))?.source.id, heir.id, 'its own organisation can take it back')
      await sources.delete('org-a', heir.id)
      await assert.rejects(
        sources.create(aSource({ orgId: 'org-b', pipelineKey })),
        { code: 'CONFLICT' },
        'and keeps it after that'
      )
    }
    assert.deepEqual((await sources.list('org-b', { limit: 100 })).data, [other])
    const back = await sources.rotateKey('org-a', two.id, { pipelineKey: ended, overlapUntil: 0 })
    assert.equal(back?.pipelineKey, ended)
    assert.equal((await sources.resolve(ended))?.source.id, two.id, 'a source can take back its former key')
  })

  await t.test('a source keeps its keys when its former key goes to another source that is rotated or ' +
    'deleted', async () => {
    const { store: { sources } } = await create()
    const moved = aKey()
    const first = await sources.create(aSource({ pipelineKey: moved }))
    await sources.rotateKey('org-a', first.id, { pipelineKey: aKey(), overlapUntil: 0 })
    const second = await sources.create(aSource({ pipelineKey: moved }))
    await sources.rotateKey('org-a', first.id, { pipelineKey: aKey(), overlapUntil: 0 })
    assert.equal((await sources.resolve(moved))?.source.id, second.id)
    await sources.delete('org-a', first.id)
    assert.equal((await sources.resolve(moved))?.source.id, second.id)
  })

  await t.test('exactly one of many concurrent creations with one key succeeds', async () => {
    const { store: { sources } } = await create()
    const pipelineKey = aKey()
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => sources.create(aSource({ pipelineKey }))))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'CONFLICT')
  })

  await t.test('an invalid key or server secret is refused', async () => {
    const { store: { sources } } = await create()
    const { id } = await sources.create(aSource())
    for (const pipelineKey of ['', 'x'.repeat(8_192)]) {
      await assert.rejects(sources.create(aSource({ pipelineKey })), { code: 'INVALID_REQUEST' })
      await assert.rejects(sources.rotateKey('org-a', id, { pipelineKey, overlapUntil: 0 }), {
        code: 'INVALID_REQUEST'
      })
    }
    for (const serverSecret of ['', 'hex:', 'hex:0', 'hex:zz', 'base64:', 'base64:*', '\ud800']) {
      await assert.rejects(sources.create(aSource({ serverSecret })), { code: 'INVALID_REQUEST' })
      await assert.rejects(sources.rotateSecret('org-a', id, { serverSecret, overlapUntil: 0 }), {
        code: 'INVALID_REQUEST'
      })
    }
    assert.equal((await sources.list('org-a', { limit: 100 })).data.length, 1)
  })

  await t.test('unusual strings are read back unchanged', async () => {
    const { store: { sources } } = await create()
    for (const text of AWKWARD_STRINGS) {
      const source = await sources.create(
        aSource({ orgId: `org ${text}`, name: text, domains: [text], pixelTypes: [text] })
      )
      const updated = await sources.update(`org ${text}`, source.id, { name: `${text}!`, domains: [text, text] })
      assert.deepEqual([updated?.name, updated?.domains, updated?.pixelTypes, updated?.orgId], [`${text}!`, [text,
        text], [text], `org ${text}`])
      assert.equal((await sources.list(`org ${text}`, { limit: 100 })).data.length, 1)
    }
  })

  await t.test('a list is newest first, and its pages have no gaps or repeats, even within one ' +
    'millisecond', async () => {
    const { store: { sources }, clock } = await create()
    const ids: string[] = []
    for (let at = 0; at < 7; at++) {
      if (at % 3 === 0) await clock.advance(2)
      ids.unshift((await sources.create(aSource())).id)
    }
    for (const limit of [1, 2, 3, 7, 100]) {
      const pages = await allPages((page) => sources.list('org-a', page), limit)
      assert.deepEqual(pages.flat().map(({ id }) => id), ids)
      assert.ok(pages.every(({ length }) => length <= limit && length > 0))
    }
    assert.deepEqual(await sources.list('org-b', { limit: 10 }), { data: [], nextCursor: null })
    for (const cursor of BAD_CURSORS) {
      await assert.rejects(sources.list('org-a', { limit: 3, cursor }), { code: 'INVALID_REQUEST' }, cursor)
    }
  })

  await t.test('changing returned objects does not change the store', async () => {
    const { store: { sources } } = await create()
    const source = await sources.create(aSource())
    const name = source.name
    source.name = 'changed'
    source.domains.push('https://evil.test')
    const found = await sources.get('org-a', source.id)
    assert.equal(found?.name, name)
    assert.equal(found.domains.length, 2)
    found.domains.push('https://evil.test')
    assert.equal((await sources.resolve(source.pipelineKey))?.source.domains.length, 2)
  })
}
