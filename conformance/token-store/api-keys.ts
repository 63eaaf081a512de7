import assert from 'node:assert/strict'

import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, BAD_CURSORS, aDigest, allPages, anApiKey, atOnce } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

const DAY = 86_400_000

export async function apiKeyContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('an API key is read as it was created, without its digest', async () => {
    const { store: { apiKeys }, clock } = await create()
    for (const fields of [{}, { permissions: ['sources:read', 'sources:write'], expiresAt: clock.now() + DAY }]) {
      const { digest, quota: _quota, ...fresh } = anApiKey(fields)
      const key = await apiKeys.create({ ...fresh, digest })
      assert.match(key.id, /^key_[0-9A-Za-z]{24}$/)
      assert.ok(Math.abs(key.createdAt - clock.now()) < 10_000)
      assert.deepEqual(key, { ...fresh, id: key.id, lastUsedAt: null, createdAt: key.createdAt })
      assert.deepEqual(await apiKeys.get('org-a', key.id), key)
    }
  })

  await t.test('a digest resolves to the access data of its key, as a frozen value that is soon ' +
    'synchronous', async () => {
    const { store: { apiKeys }, clock } = await create()
    const endsAt = clock.now() + DAY
    const fresh = anApiKey({ role: 'editor', permissions: ['sources:read'], expiresAt: endsAt })
    const { id } = await apiKeys.create(fresh)
    const access = await apiKeys.resolve(fresh.digest)
    assert.deepEqual(access, { id, orgId: 'org-a', role: 'editor', permissions: ['sources:read'], endsAt })
    for (const part of [access, access?.permissions]) {
      assert.ok(Object.isFrozen(part))
    }
    await atOnce(() => apiKeys.resolve(fresh.digest))
    const unlimited = anApiKey({ permissions: null, expiresAt: null })
    await apiKeys.create(unlimited)
    assert.deepEqual(Object.values(await apiKeys.resolve(unlimited.digest) ?? {}).slice(-2), [null, null])
    for (const digest of ['', aDigest(), fresh.digest.toUpperCase(), fresh.digest.slice(1), '%', '\u0000', id]) {
      assert.equal(await apiKeys.resolve(digest), null, digest)
    }
  })

  await t.test('a digest that was looked up before its key existed resolves at once on the same instance', async () => {
    const { store: { apiKeys } } = await create()
    const fresh = anApiKey()
    assert.equal(await apiKeys.resolve(fresh.digest), null)
    const { id } = await apiKeys.create(fresh)
    assert.equal((await apiKeys.resolve(fresh.digest))?.id, id)
  })

  await t.test('a taken digest is a conflict, in another organisation as well', async () => {
    const { store: { apiKeys } } = await create()
    const fresh = anApiKey()
    const { id } = await apiKeys.create(fresh)
    const other = await apiKeys.create(anApiKey({ orgId: 'org-b' }))
    await assert.rejects(apiKeys.create(anApiKey({ orgId: 'org-b', digest: fresh.digest })), { code: 'CONFLICT' })
    await assert.rejects(
      apiKeys.rotate('org-b', other.id, { digest: fresh.digest, prefix: 'gh_', overlapUntil: 0 }),
      { code: 'CONFLICT' }
    )
    assert.equal((await apiKeys.resolve(fresh.digest))?.id, id)
  })

  await t.test('an expired key does not resolve, also from the cache, and cannot be rotated', async () => {
    const { store: { apiKeys }, clock } = await create()
    const fresh = anApiKey({ expiresAt: clock.now() + 100 })
    const key = await apiKeys.create(fresh)
    await atOnce(() => apiKeys.resolve(fresh.digest))
    await clock.advance(100)
    assert.equal(await apiKeys.resolve(fresh.digest), null)
    assert.equal(await apiKeys.rotate('org-a', key.id, { digest: aDigest(), prefix: '', overlapUntil: 0 }), null)
    assert.deepEqual(await apiKeys.get('org-a', key.id), key, 'it is still listed')
  })

  await t.test('a revoked key no longer resolves, at once on the same instance', async () => {
    const { store: { apiKeys } } = await create()
    const fresh = anApiKey()
    const key = await apiKeys.create(fresh)
    await atOnce(() => apiKeys.resolve(fresh.digest))
    assert.deepEqual(await apiKeys.revoke('org-a', key.id), key)
    assert.equal(await apiKeys.resolve(fresh.digest), null)
    assert.equal(await apiKeys.get('org-a', key.id), null)
    assert.equal(await apiKeys.revoke('org-a', key.id), null)
    for (let round = 0; round < 20; round++) {
      const next = anApiKey()
      const { id } = await apiKeys.create(next)
      await Promise.all([apiKeys.resolve(next.digest), apiKeys.revoke('org-a', id), apiKeys.resolve(next.digest)])
      assert.equal(await apiKeys.resolve(next.digest), null, 'a look-up in flight does not restore it')
    }
  })

  await t.test('the previous digest ends at once or with the overlap, and an older digest ends at once', async () => {
    const { store, clock } = await create()
    const { apiKeys } = store
    const fresh = anApiKey()
    const { id } = await apiKeys.create(fresh)
    const [second, third, fourth] = [aDigest(), aDigest(), aDigest()]
    const works = (...digests: string[]) =>
      Promise.all(digests.map(async (digest) => (await apiKeys.resolve(digest))?.id === id))
    await works(fresh.digest, second)
    const rotated = await apiKeys.rotate('org-a', id, { digest: second, prefix: 'gh_second', overlapUntil: 0 })
    assert.equal(rotated?.prefix, 'gh_second')
    assert.deepEqual(await works(fresh.digest, second), [false, true])

    const until = clock.now() + 100
    await apiKeys.rotate('org-a', id, { digest: third, prefix: 'gh_third', overlapUntil: until })
    assert.deepEqual(await works(second, third), [true, true])
    assert.equal((await apiKeys.resolve(second))?.endsAt, until)
    assert.equal((await apiKeys.resolve(third))?.endsAt, null)
    await apiKeys.rotate('org-a', id, { digest: fourth, prefix: 'gh_fourth', overlapUntil: until })
    assert.deepEqual(await works(second, third, fourth), [false, true, true])
    await clock.advance(100)
    assert.deepEqual(await works(third, fourth), [false, true])
    await store.sweep({ auditRetention: DAY })
    assert.deepEqual(await works(third, fourth), [false, true])
  })

  await t.test('a rotated key keeps its expiry, also during the overlap', async () => {
    const { store: { apiKeys }, clock } = await create()
    const fresh = anApiKey({ expiresAt: clock.now() + 100 })
    const { id, expiresAt } = await apiKeys.create(fresh)
    const next = aDigest()
    await apiKeys.rotate('org-a', id, { digest: next, prefix: '', overlapUntil: clock.now() + DAY })
    for (const digest of [fresh.digest, next]) {
      assert.equal((await apiKeys.resolve(digest))?.endsAt, expiresAt)
    }
    await clock.advance(100)
    for (const digest of [fresh.digest, next]) {
      assert.equal(await apiKeys.resolve(digest), null)
    }
  })

  await t.test('exactly one digest resolves after concurrent rotations', async () => {
    const { store: { apiKeys } } = await create()
    const { id } = await apiKeys.create(anApiKey())
    const digests = Array.from({ length: 10 }, () => aDigest())
    await Promise.all(digests.map((digest) => apiKeys.rotate('org-a', id, { digest, prefix: '', overlapUntil: 0 })))
    const found = await Promise.all(digests.map((digest) => apiKeys.resolve(digest)))
    assert.equal(found.filter((access) => access !== null).length, 1)
  })

  await t.test('an organisation gets as many live keys as its quota, also when they are created ' +
    'concurrently', async () => {
    const { store: { apiKeys }, clock } = await create()
    const createTen = async (orgId: string, fields: object = {}) => {
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, () => apiKeys.create(anApiKey({ orgId, quota: 3, ...fields })))
      )
      for (const result of results) {
        if (result.status === 'rejected') assert.equal(result.reason.code, 'CONFLICT')
      }
      return results.filter(({ status }) => status === 'fulfilled').length
    }
    assert.equal(await createTen('org-a', { expiresAt: clock.now() + 100 }), 3)
    assert.equal(await createTen('org-b'), 3, 'another organisation has its own quota')
    await clock.advance(100)
    assert.equal(await createTen('org-a'), 3, 'expired keys do not count')
    const { data: [newest] } = await apiKeys.list('org-a', { limit: 1 })
    await apiKeys.revoke('org-a', newest?.id ?? '')
    assert.equal(await createTen('org-a'), 1, 'a revoked key makes room')
  })

  await t.test('another organisation cannot read, rename, rotate or revoke a key', async () => {
    const { store: { apiKeys } } = await create()
    const fresh = anApiKey()
    const key = await apiKeys.create(fresh)
    const tries: Array<[string, string]> = [['org-b', key.id], ['', key.id], ['org-a', ''], ['org-a', '\u0000'],
      ['org-a', key.id.toLowerCase()], ['org-a', 'key_000000000000000000000000']]
    for (const [orgId, id] of tries) {
      assert.equal(await apiKeys.get(orgId, id), null)
      assert.equal(await apiKeys.rename(orgId, id, 'Mine'), null)
      assert.equal(await apiKeys.rotate(orgId, id, { digest: aDigest(), prefix: '', overlapUntil: 0 }), null)
      assert.equal(await apiKeys.revoke(orgId, id), null)
    }
    assert.deepEqual((await apiKeys.list('org-b', { limit: 10 })).data, [])
    assert.deepEqual(await apiKeys.get('org-a', key.id), key)
    assert.equal((await apiKeys.resolve(fresh.digest))?.id, key.id)
  })

  await t.test('a new name, and unusual strings, are read unchanged', async () => {
    const { store: { apiKeys } } = await create()
    for (const text of AWKWARD_STRINGS) {
      const { id } = await apiKeys.create(anApiKey({ name: 'Old', createdBy: text, permissions: [text] }))
      const renamed = await apiKeys.rename('org-a', id, text)
      assert.deepEqual([renamed?.name, renamed?.createdBy, renamed?.permissions], [text, text, [text]])
      assert.deepEqual(await apiKeys.get('org-a', id), renamed)
    }
  })

  await t.test('keys are listed newest first, page by page, and an invalid cursor is refused', async () => {
    const { store: { apiKeys }, clock } = await create()
    const ids: string[] = []
    for (let at = 0; at < 7; at++) {
      ids.unshift((await apiKeys.create(anApiKey())).id)
      if (at % 3 === 0) await clock.advance(2)
    }
    const pages = await allPages((page) => apiKeys.list('org-a', page), 3)
    assert.deepEqual(pages.map((page) => page.map(({ id }) => id)), [ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)])
    for (const cursor of BAD_CURSORS) {
      await assert.rejects(apiKeys.list('org-a', { limit: 3, cursor }), { code: 'INVALID_REQUEST' })
    }
  })

  await t.test('the last use of a key is the latest use, and unknown ids are ignored', async () => {
    const { store: { apiKeys }, clock } = await create()
    const [one, other] = [await apiKeys.create(anApiKey()), await apiKeys.create(anApiKey())]
    const lastUses = () =>
      Promise.all([one, other].map(async ({ id }) => (await apiKeys.get('org-a', id))?.lastUsedAt))
    const at = clock.now()
    await apiKeys.touch([])
    await apiKeys.touch([{ id: one.id, at: at + 5 }, { id: 'key_unknown', at }, { id: '\u0000', at }])
    assert.deepEqual(await lastUses(), [at + 5, null])
    await apiKeys.touch([{ id: one.id, at }, { id: other.id, at }, { id: other.id, at: at + 1 }])
    assert.deepEqual(await lastUses(), [at + 5, at + 1])
  })

  await t.test('sweep keeps an expired key for 30 days', async () => {
    const { store, clock } = await create()
    const { apiKeys } = store
    const gone = await apiKeys.create(anApiKey({ expiresAt: clock.now() - 30 * DAY - 1 }))
    const recent = await apiKeys.create(anApiKey({ expiresAt: clock.now() - DAY }))
    const endless = await apiKeys.create(anApiKey())
    await store.sweep({ auditRetention: DAY })
    const { data } = await apiKeys.list('org-a', { limit: 10 })
    assert.deepEqual(data.map(({ id }) => id), [endless.id, recent.id])
    assert.equal(await apiKeys.get('org-a', gone.id), null)
  })
}
