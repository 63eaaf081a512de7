import assert from 'node:assert/strict'

import type { NewRevocation, RevocationFilter, RevocationKind } from '../../contracts/token-store/index.js'
import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, BAD_CURSORS, aRevocation, allPages, atOnce } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

const KINDS: readonly RevocationKind[] = ['user', 'tenant', 'dashboard']

export async function revocationContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('a revocation is returned unchanged, with an id and the time', async () => {
    const { store: { revocations }, clock } = await create()
    const fresh = aRevocation({ kind: 'tenant', subject: 'acme', before: clock.now() + 60_000, createdBy: 'admin-1' })
    const earliest = clock.now()
    const { id, createdAt, ...rest } = await revocations.revoke(fresh)
    assert.deepEqual(rest, fresh)
    assert.ok(id.length > 0 && createdAt >= earliest && createdAt <= clock.now())
    assert.deepEqual(await revocations.list('org-a', {}, { limit: 10 }), {
      data: [{ id, createdAt, ...fresh }],
      nextCursor: null
    })
    assert.equal((await revocations.revoke(aRevocation({ subject: 'other', createdBy: null }))).createdBy, null)
  })

  await t.test('a cut-off applies to one organisation, kind and id, is 0 without a revocation, and is soon ' +
    'synchronous', async () => {
    const { store: { revocations } } = await create()
    await revocations.revoke(aRevocation({ kind: 'user', subject: 'ann', before: 5_000 }))
    for (let look = 0; look < 2; look++) {
      assert.equal(await revocations.cutoff('org-a', 'user', 'ann'), 5_000)
      for (
        const [orgId, kind, subject] of [
          ['org-b', 'user', 'ann'],
          ['org-a', 'tenant', 'ann'],
          ['org-a', 'dashboard', 'ann'],
          ['org-a', 'user', 'Ann'],
          ['org-a', 'user', 'ann '],
          ['org-a', 'user', '']
        ] as const
      ) assert.equal(await revocations.cutoff(orgId, kind, subject), 0)
    }
    assert.equal(await atOnce(() => revocations.cutoff('org-a', 'user', 'ann')), 5_000)
    assert.equal(await atOnce(() => revocations.cutoff('org-b', 'user', 'ann')), 0)
  })

  await t.test('the cut-offs of several subjects are in their order, equal to single look-ups, and ' +
    'soon synchronous', async () => {
    const { store: { revocations } } = await create()
    await revocations.revoke(aRevocation({ kind: 'user', subject: 'ann', before: 5_000 }))
    await revocations.revoke(aRevocation({ kind: 'dashboard', subject: 'ann', before: 6_000 }))
    await revocations.revoke(aRevocation({ kind: 'dashboard', subject: '\u0000\ud800', before: 7_000 }))
    await revocations.revoke(aRevocation({ orgId: 'org-b', kind: 'tenant', subject: 'ann', before: 8_000 }))
    const many = Array.from({ length: 500 }, (_none, at) => ({ kind: 'dashboard' as const, subject: `d${at}` }))
    const subjects = [
      { kind: 'tenant', subject: 'ann' },
      { kind: 'dashboard', subject: '\u0000\ud800' },
      ...many,
      { kind: 'dashboard', subject: 'ann' },
      { kind: 'user', subject: 'ann' },
      { kind: 'user', subject: 'ann' },
      { kind: 'user', subject: '' },
      { kind: 'user', subject: 'x'.repeat(257) }
    ] as const
    const expected = [0, 7_000, ...many.map(() => 0), 6_000, 5_000, 5_000, 0, 0]
    assert.deepEqual(await revocations.cutoffs('org-a', subjects), expected)
    assert.deepEqual(await atOnce(() => revocations.cutoffs('org-a', subjects)), expected)
    await revocations.revoke(aRevocation({ kind: 'dashboard', subject: 'd499', before: 9_000 }))
    assert.deepEqual(
      await revocations.cutoffs('org-a', subjects.slice(-8)),
      [0, 0, 9_000, ...expected.slice(-5)],
      'a cut-off that has changed since'
    )
    assert.deepEqual(await revocations.cutoffs('org-b', [{ kind: 'tenant', subject: 'ann' }]), [8_000])
    assert.deepEqual(await revocations.cutoffs('org-a', []), [])
  })

  await t.test('a revocation and its lifting take effect at once on the same instance, also after a cached ' +
    'look-up', async () => {
    const { store: { revocations } } = await create()
    for (const kind of KINDS) {
      assert.equal(await revocations.cutoff('org-a', kind, 'x'), 0)
      const { id } = await revocations.revoke(aRevocation({ kind, subject: 'x', before: 1_000 }))
      assert.equal(await revocations.cutoff('org-a', kind, 'x'), 1_000)
      await revocations.revoke(aRevocation({ kind, subject: 'x', before: 2_000 }))
      assert.equal(await revocations.cutoff('org-a', kind, 'x'), 2_000)
      await revocations.lift('org-a', id)
      assert.equal(await revocations.cutoff('org-a', kind, 'x'), 0)
    }
  })

  await t.test('a subject has one entry, whose cut-off only increases', async () => {
    const { store: { revocations }, clock } = await create()
    const first = await revocations.revoke(aRevocation({ before: 5_000, createdBy: 'admin-1' }))
    await clock.advance(10)
    for (const before of [5_000, 4_999, 0]) {
      assert.deepEqual(await revocations.revoke(aRevocation({ before, createdBy: 'admin-2' })), first)
    }
    const raised = await revocations.revoke(aRevocation({ before: 5_001, createdBy: 'admin-2' }))
    assert.deepEqual({ ...raised, createdAt: 0 }, { ...first, before: 5_001, createdBy: 'admin-2', createdAt: 0 })
    assert.ok(raised.createdAt > first.createdAt)
    assert.deepEqual((await revocations.list('org-a', {}, { limit: 10 })).data, [raised])
  })

  await t.test('the highest of many concurrent cut-offs stays', async () => {
    const { store: { revocations } } = await create()
    await Promise.all(
      Array.from({ length: 20 }, (_, at) => revocations.revoke(aRevocation({ before: 1_000 + (at * 7) % 20 })))
    )
    assert.equal(await revocations.cutoff('org-a', 'user', 'user-1'), 1_019)
    assert.equal((await revocations.list('org-a', {}, { limit: 100 })).data.length, 1)
  })

  await t.test('only the organisation itself can lift a revocation, once, and can set another ' +
    'revocation afterwards', async () => {
    const { store: { revocations } } = await create()
    const revocation = await revocations.revoke(aRevocation({ before: 5_000 }))
    assert.equal(await revocations.lift('org-b', revocation.id), null)
    for (const id of ['', 'nothing', '\u0000']) assert.equal(await revocations.lift('org-a', id), null)
    assert.equal(await revocations.cutoff('org-a', 'user', 'user-1'), 5_000)
    assert.deepEqual(await revocations.lift('org-a', revocation.id), revocation)
    assert.equal(await revocations.lift('org-a', revocation.id), null)
    assert.equal((await revocations.revoke(aRevocation({ before: 1_000 }))).before, 1_000, 'below the lifted cut-off')
  })

  await t.test('each filter returns exactly the matching entries, newest first, page by page', async () => {
    const { store: { revocations }, clock } = await create()
    const all = []
    for (let at = 0; at < 9; at++) {
      all.push(
        await revocations.revoke(
          aRevocation({ kind: KINDS[at % 3] ?? 'user', subject: `id-${at % 4}`, before: 1_000 + at })
        )
      )
      if (at % 2 === 0) await clock.advance(5)
    }
    await revocations.revoke(aRevocation({ orgId: 'org-b' }))
    const cases: Array<[RevocationFilter, (at: number) => boolean]> = [
      [{}, () => true],
      [{ kind: 'tenant' }, (at) => at % 3 === 1],
      [{ subject: 'id-1' }, (at) => at % 4 === 1],
      [{ kind: 'user', subject: 'id-3' }, (at) => at === 3],
      [{ subject: 'id-_' }, () => false],
      [{ kind: undefined, subject: undefined }, () => true]
    ]
    for (const [filter, matches] of cases) {
      const expected = all.filter((_, at) => matches(at)).reverse()
      for (const limit of [1, 2, 100]) {
        assert.deepEqual(
          (await allPages((page) => revocations.list('org-a', filter, page), limit)).flat(),
          expected,
          JSON.stringify([filter, limit])
        )
      }
    }
    for (const bad of BAD_CURSORS) {
      await assert.rejects(revocations.list('org-a', {}, { limit: 3, cursor: bad }), { code: 'INVALID_REQUEST' }, bad)
    }
  })

  await t.test('ids of up to 256 characters are stored exactly', async () => {
    const { store: { revocations } } = await create()
    const strings = [...AWKWARD_STRINGS.filter((text) => text !== ''), '","user","', 'x'.repeat(256), '\ufffd'.repeat(256),
      '\ud800'.repeat(256)]
    for (const [at, text] of strings.entries()) {
      const fresh: NewRevocation = aRevocation({
        orgId: 'org-a',
        kind: 'dashboard',
        subject: text,
        before: 1_000 + at,
        createdBy: text
      })
      const { id: _id, createdAt: _createdAt, ...kept } = await revocations.revoke(fresh)
      assert.deepEqual(kept, fresh)
    }
    for (const [at, text] of strings.entries()) {
      assert.equal(await revocations.cutoff('org-a', 'dashboard', text), 1_000 + at, JSON.stringify(text))
    }
    assert.deepEqual(
      new Set((await revocations.list('org-a', {}, { limit: 100 })).data.map(({ subject }) => subject)),
      new Set(strings)
    )
    for (const subject of ['', 'x'.repeat(257)]) {
      await assert.rejects(revocations.revoke(aRevocation({ subject })), { code: 'INVALID_REQUEST', statusCode: 400 })
      assert.equal(await revocations.cutoff('org-a', 'user', subject), 0)
    }
  })

  await t.test('a sweep deletes no revocation, and changing returned objects does not change the store', async () => {
    const { store, clock } = await create()
    const { revocations } = store
    const revocation = await revocations.revoke(aRevocation({ before: 1_000 }))
    Object.assign(revocation, { before: 0 })
    Object.assign((await revocations.list('org-a', {}, { limit: 1 })).data[0] ?? {}, { before: 0 })
    await clock.advance(100)
    await store.sweep({ auditRetention: 1 })
    assert.equal(await revocations.cutoff('org-a', 'user', 'user-1'), 1_000)
    assert.equal((await revocations.list('org-a', {}, { limit: 1 })).data[0]?.before, 1_000)
  })
}
