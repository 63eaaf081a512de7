import assert from 'node:assert/strict'

import type { AuditFilter } from '../../contracts/token-store/index.js'
import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, BAD_CURSORS, allPages, anEntry } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

export async function auditContract (t: ContractTest, create: CreateStore): Promise<void> {
  await t.test('entries are read back unchanged, newest first, of one organisation', async () => {
    const { store: { audit } } = await create()
    const entries = [
      anEntry({ timestamp: 1_000 }),
      anEntry({
        timestamp: 3_000,
        userId: null,
        userEmail: null,
        resourceType: null,
        resourceId: null,
        changes: null,
        ipAddress: null,
        userAgent: null
      }),
      anEntry({
        timestamp: 2_000,
        changes: { domains: { from: [], to: ['https://a.test'] }, deep: { n: 1.5, yes: true, none: null } }
      })
    ] as const
    await audit.append([])
    await audit.append(entries)
    await audit.append([anEntry({ orgId: 'org-b' })])
    assert.deepEqual(await audit.list('org-a', {}, { limit: 10 }), {
      data: [entries[1], entries[2], entries[0]],
      nextCursor: null
    })
    assert.equal((await audit.list('org-b', {}, { limit: 10 })).data.length, 1)
    assert.deepEqual(await audit.list('org-c', {}, { limit: 10 }), { data: [], nextCursor: null })
  })

  await t.test('an entry that is appended twice is stored once, in its first version', async () => {
    const { store: { audit } } = await create()
    const entry = anEntry()
    await audit.append([entry])
    await audit.append([anEntry({ id: entry.id, action: 'source.deleted' }), anEntry({ timestamp: 2_000 })])
    const { data } = await audit.list('org-a', {}, { limit: 10 })
    assert.equal(data.length, 2)
    assert.deepEqual(data[1], entry)
  })

  await t.test('each filter returns exactly the matching entries, and filters combine', async () => {
    const { store: { audit } } = await create()
    const entries = Array.from({ length: 8 }, (_, at) =>
      anEntry({
        timestamp: 1_000 + at,
        action: at % 2 === 0 ? 'source.created' : 'source.deleted',
        userId: at < 4 ? 'user-1' : 'user-2',
        resourceType: at === 7 ? 'user' : 'source',
        resourceId: `resource-${at % 3}`
      }))
    await audit.append(entries)
    const cases: Array<[AuditFilter, (at: number) => boolean]> = [
      [{ action: 'source.created' }, (at) => at % 2 === 0],
      [{ action: 'source.%' }, () => false],
      [{ action: 'SOURCE.CREATED' }, () => false],
      [{ actions: ['source.created'] }, (at) => at % 2 === 0],
      [{ actions: ['source.deleted', 'source.created', 'source.deleted', 'source.%'] }, () => true],
      [{ actions: ['source.deleted', 'nothing'], action: 'source.created' }, () => false],
      [{ actions: [] }, () => false],
      [{ actions: ['source.created', 'source.deleted'], userId: 'user-2', to: 1_006 }, (at) => at >= 4 && at <= 6],
      [{ userId: 'user-2' }, (at) => at >= 4],
      [{ resourceType: 'user' }, (at) => at === 7],
      [{ resourceId: 'resource-1' }, (at) => at % 3 === 1],
      [{ from: 1_003 }, (at) => at >= 3],
      [{ to: 1_003 }, (at) => at <= 3],
      [{ from: 1_002, to: 1_002 }, (at) => at === 2],
      [{ from: 1_002, to: 1_006, userId: 'user-2', action: 'source.created' }, (at) => at === 4 || at === 6],
      [{ action: undefined, from: undefined }, () => true],
      [{ userId: '\u0000' }, () => false]
    ]
    for (const [filter, matches] of cases) {
      const expected = entries.filter((_, at) => matches(at)).reverse()
      for (const limit of [1, 3, 100]) {
        assert.deepEqual(
          (await allPages((page) => audit.list('org-a', filter, page), limit)).flat(),
          expected,
          JSON.stringify(filter)
        )
      }
    }
  })

  await t.test('pages have no gaps or repeats within one millisecond, while newer entries arrive', async () => {
    const { store: { audit } } = await create()
    const entries = Array.from({ length: 25 }, () => anEntry())
    await audit.append(entries)
    const listed: string[] = []
    let cursor: string | undefined
    do {
      const page = await audit.list('org-a', {}, { limit: 4, cursor })
      listed.push(...page.data.map(({ id }) => id))
      cursor = page.nextCursor ?? undefined
      await audit.append([anEntry({ timestamp: 5_000 })])
    } while (cursor !== undefined)
    assert.deepEqual(listed, entries.map(({ id }) => id).reverse())
    for (const bad of BAD_CURSORS) {
      await assert.rejects(audit.list('org-a', {}, { limit: 3, cursor: bad }), { code: 'INVALID_REQUEST' }, bad)
    }
  })

  await t.test('repeats are added to the changes of an entry, and a later count replaces an ' +
    'earlier count', async () => {
    const { store: { audit } } = await create()
    const [some, none] = [anEntry({ changes: { reason: 'a\u0000b' }, timestamp: 2_000 }), anEntry({ changes: null })]
    await audit.append([some, none])
    await audit.addRepeats(some.id, 3)
    await audit.addRepeats(some.id, 7)
    await audit.addRepeats(none.id, 1)
    await audit.addRepeats('nothing', 1)
    const { data } = await audit.list('org-a', {}, { limit: 10 })
    assert.deepEqual(data.map(({ changes }) => changes), [{ reason: 'a\u0000b', repeats: 7 }, { repeats: 1 }])
  })

  await t.test('unusual strings are read back unchanged', async () => {
    const { store: { audit } } = await create()
    const entries = AWKWARD_STRINGS.map((text, at) =>
      anEntry({
        id: `${at} ${text}`,
        action: text,
        userId: text,
        userEmail: text,
        resourceType: text,
        resourceId: text,
        ipAddress: text,
        userAgent: text,
        changes: { text, ...(text === '__proto__' ? {} : { [text]: [text] }) },
        timestamp: at
      })
    )
    await audit.append(entries)
    assert.deepEqual((await audit.list('org-a', {}, { limit: 100 })).data, entries.reverse())
    for (const entry of entries) {
      const { action, userId } = entry
      for (const filter of [{ action }, { actions: [action] }]) {
        assert.deepEqual((await audit.list('org-a', { ...filter, userId: userId ?? '' }, { limit: 100 })).data, [entry])
      }
    }
  })

  await t.test('a sweep deletes entries older than the retention and keeps the others', async () => {
    const { store, clock } = await create()
    const now = clock.now()
    const entries = [anEntry({ timestamp: now - 20_001 }), anEntry({ timestamp: now - 10_000 }),
      anEntry({ timestamp: now })]
    await store.audit.append(entries)
    await store.sweep({ auditRetention: 20_000 })
    assert.deepEqual((await store.audit.list('org-a', {}, { limit: 10 })).data, [entries[2], entries[1]])
  })

  await t.test('changing returned or passed objects does not change the store', async () => {
    const { store: { audit } } = await create()
    const entry = anEntry({ changes: { list: ['a'] } })
    const expected = structuredClone(entry)
    await audit.append([entry])
    Object.assign(entry, { action: 'changed' })
    ;(entry.changes?.list as string[]).push('changed')
    const [first] = (await audit.list('org-a', {}, { limit: 1 })).data
    ;(first?.changes?.list as string[]).push('changed')
    assert.deepEqual((await audit.list('org-a', {}, { limit: 1 })).data, [expected])
  })
}
