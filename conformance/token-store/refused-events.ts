import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'

import type { RefusedEvent, RefusedEventFilter, TokenStore } from '../../contracts/token-store/index.js'
import type { ContractTest } from '../contract-test.js'
import { AWKWARD_STRINGS, BAD_CURSORS, allPages, aRefusedEvent, aSource } from './fixtures.js'
import type { CreateStore } from './fixtures.js'

const LIMITS = { maxRows: 1_000, maxBytes: 1_000_000 }
const LEASE = 2_000

export async function refusedEventContract (t: ContractTest, create: CreateStore): Promise<void> {
  async function createWithSource () {
    const { store, clock } = await create()
    const source = await store.sources.create(aSource())
    const refused = (fields: Partial<RefusedEvent> = {}) => aRefusedEvent({ sourceId: source.id, ...fields })
    return { store, clock, source, refused, events: store.refusedEvents }
  }

  await t.test('refused events are read back unchanged, newest first, of one organisation', async () => {
    const { store, refused, events } = await createWithSource()
    const other = await store.sources.create(aSource({ orgId: 'org-b' }))
    const plain = refused({
      receivedAt: 3_000,
      origin: null,
      userAgent: null,
      contentType: null,
      type: null,
      event: null,
      messageId: null,
      replay: null,
      truncated: true
    })
    const full = refused({ receivedAt: 2_000, signed: true })
    await events.append([full, plain], LIMITS)
    await events.append([aRefusedEvent({ orgId: 'org-b', sourceId: other.id })], LIMITS)
    await events.append([], LIMITS)
    assert.deepEqual(await events.list('org-a', {}, { limit: 10 }), { data: [plain, full], nextCursor: null })
    assert.deepEqual(await events.get('org-a', full.id), full)
    assert.equal(await events.get('org-b', full.id), null)
    assert.equal(await events.get('org-a', 'nothing'), null)
    assert.equal((await events.list('org-b', {}, { limit: 10 })).data.length, 1)
  })

  await t.test('an event is stored once, and only if its source exists in its organisation', async () => {
    const { store, refused, events, source } = await createWithSource()
    const first = refused()
    await events.append([first, first], LIMITS)
    await events.append([
      { ...first, code: 'CHANGED' },
      refused({ sourceId: randomUUID() }),
      refused({ orgId: 'org-b' })
    ], LIMITS)
    assert.deepEqual((await events.list('org-a', {}, { limit: 10 })).data, [first])
    assert.deepEqual((await events.list('org-b', {}, { limit: 10 })).data, [])
    await store.sources.delete('org-a', source.id)
    assert.equal(await events.get('org-a', first.id), null, 'deleting a source deletes its refused events')
    await events.append([first], LIMITS)
    assert.equal(await events.get('org-a', first.id), null)
  })

  await t.test('each filter returns exactly the matching events, and filters combine', async () => {
    const { store, refused, events, source } = await createWithSource()
    const other = await store.sources.create(aSource())
    const all = Array.from({ length: 8 }, (_, at) => refused({
      receivedAt: 1_000 + at,
      sourceId: at < 5 ? source.id : other.id,
      code: at % 2 === 0 ? 'INVALID_REQUEST' : 'ORIGIN_NOT_ALLOWED',
      origin: at === 0 ? null : `https://${at % 3}.example.com`,
      type: at === 1 ? null : at < 4 ? 'track' : 'page',
      messageId: at === 2 ? null : `message-${at}`
    }))
    await events.append(all, LIMITS)
    await events.settle('org-a', [all[3]?.id ?? '', 'nothing'])
    const cases: Array<[RefusedEventFilter, (at: number) => boolean]> = [
      [{}, () => true],
      [{ sourceId: source.id }, (at) => at < 5],
      [{ sourceId: other.id, type: 'track' }, () => false],
      [{ code: 'INVALID_REQUEST' }, (at) => at % 2 === 0],
      [{ code: 'INVALID%' }, () => false],
      [{ origin: 'https://1.example.com' }, (at) => at % 3 === 1],
      [{ type: 'page', code: 'ORIGIN_NOT_ALLOWED' }, (at) => at > 3 && at % 2 === 1],
      [{ messageId: 'message-6' }, (at) => at === 6],
      [{ replayed: true }, (at) => at === 3],
      [{ replayed: false, sourceId: source.id }, (at) => at < 5 && at !== 3],
      [{ from: 1_002, to: 1_005 }, (at) => at >= 2 && at <= 5],
      [{ from: 1_002, code: undefined, replayed: undefined }, (at) => at >= 2]
    ]
    for (const [filter, matches] of cases) {
      const expected = all.filter((_, at) => matches(at)).map(({ id }) => id).reverse()
      for (const limit of [1, 3, 100]) {
        const pages = await allPages((page) => events.list('org-a', filter, page), limit)
        assert.deepEqual(pages.flat().map(({ id }) => id), expected, JSON.stringify(filter))
      }
    }
    for (const cursor of BAD_CURSORS) {
      await assert.rejects(events.list('org-a', {}, { limit: 3, cursor }), { code: 'INVALID_REQUEST' }, cursor)
    }
  })

  await t.test('the oldest events of a source are deleted beyond its limits, other sources keep theirs', async () => {
    const { store, refused, events } = await createWithSource()
    const other = await store.sources.create(aSource())
    const kept = refused({ sourceId: other.id, receivedAt: 1 })
    await events.append([kept], LIMITS)
    const all = Array.from({ length: 12 }, (_, at) => refused({ receivedAt: 1_000 + at, bytes: 100 }))
    const idsOf = async () => (await events.list('org-a', {}, { limit: 100 })).data.map(({ id }) => id)
    const newest = (count: number) => [...all.slice(-count).reverse(), kept].map(({ id }) => id)
    await events.append(all, { maxRows: 10, maxBytes: 1_000_000 })
    assert.deepEqual(await idsOf(), newest(10))
    await events.append([refused({ receivedAt: 1, bytes: 100 })], { maxRows: 10, maxBytes: 1_000_000 })
    assert.deepEqual(await idsOf(), newest(10), 'an event older than all others is not kept')
    await events.append([refused({ receivedAt: 1, bytes: 100 })], { maxRows: 10, maxBytes: 499 })
    assert.deepEqual(await idsOf(), newest(4))
  })

  await t.test('an event is deleted, only by its organisation', async () => {
    const { refused, events } = await createWithSource()
    const event = refused()
    await events.append([event], LIMITS)
    assert.equal(await events.delete('org-b', event.id), false)
    assert.equal(await events.delete('org-a', event.id), true)
    assert.equal(await events.delete('org-a', event.id), false)
  })

  await t.test('an event has one claim at a time, which ends by itself, by a release or by the replay', async () => {
    const { clock, refused, events } = await createWithSource()
    const [one, two] = [refused(), refused()]
    await events.append([one, two], LIMITS)
    const claim = async (name: string, orgId = 'org-a') =>
      await claimed(events.claim(orgId, [one.id, two.id, one.id, 'nothing'], { claim: name, lease: LEASE }))
    assert.deepEqual(await claim('foreign', 'org-b'), [])
    const both = [[one.id, false], [two.id, false]].sort()
    assert.deepEqual(await claim('first'), both)
    assert.deepEqual(await claim('second'), [])
    await events.release('org-b', 'first')
    await events.release('org-a', 'second')
    assert.deepEqual(await claim('second'), [], 'only the claim itself is released')
    await clock.advance(LEASE + 1)
    assert.deepEqual(await claim('second'), [[one.id, true], [two.id, true]].sort())
    await events.release('org-a', 'first')
    assert.deepEqual(await claim('third'), [], 'an ended claim releases nothing')
    await events.settle('org-a', [one.id])
    await events.release('org-a', 'second')
    assert.deepEqual(await claim('third'), [[two.id, true]])
    const { replayedAt: at } = await events.get('org-a', one.id) ?? {}
    await clock.advance(LEASE + 1)
    await events.settle('org-a', [one.id])
    assert.equal((await events.get('org-a', one.id))?.replayedAt, at, 'the first replay counts')
    assert.deepEqual(await claim('fourth'), [[two.id, true]])
  })

  await t.test('of concurrent claims exactly one gets each event', async () => {
    const { refused, events } = await createWithSource()
    const all = Array.from({ length: 20 }, () => refused())
    await events.append(all, LIMITS)
    const ids = all.map(({ id }) => id)
    const claims = await Promise.all(Array.from({ length: 10 }, async (_, at) =>
      await claimed(events.claim('org-a', at % 2 === 0 ? ids : ids.toReversed(), { claim: `${at}`, lease: LEASE }))
    ))
    assert.deepEqual(claims.flat().map(([id]) => id).sort(), ids.sort())
  })

  await t.test('unusual strings are read back unchanged', async () => {
    const { refused, events } = await createWithSource()
    const all = AWKWARD_STRINGS.map((text, at) => refused({
      id: `${at} ${text}`,
      code: text,
      reason: text,
      origin: text,
      ip: text,
      userAgent: text,
      path: text,
      contentType: text,
      type: text,
      event: text,
      messageId: text,
      payload: text,
      receivedAt: at,
      replay: {
        form: 'delivery',
        type: null,
        pixel: true,
        requiresSignature: true,
        keyId: 'key-1',
        webhookId: text,
        fromPage: false,
        visitorId: text,
        signatureDigest: text,
        index: at,
        headers: { 'x-topic': text }
      }
    }))
    await events.append(all, LIMITS)
    assert.deepEqual((await events.list('org-a', {}, { limit: 100 })).data, all.toReversed())
    for (const event of all) {
      const { code, origin, messageId } = event
      const filter = { code, origin: origin ?? undefined, messageId: messageId ?? undefined }
      assert.deepEqual((await events.list('org-a', filter, { limit: 100 })).data, [event])
    }
  })

  await t.test('a sweep deletes events older than the retention, which is 7 days by default', async () => {
    const { store, clock, refused, events } = await createWithSource()
    const day = 86_400_000
    const now = clock.now()
    const all = [now, now - 3 * day, now - 7 * day - 1].map((receivedAt) => refused({ receivedAt }))
    await events.append(all, LIMITS)
    await store.sweep({ auditRetention: day })
    assert.deepEqual(await listed(store), all.slice(0, 2).map(({ id }) => id))
    await store.sweep({ auditRetention: day, refusedRetention: day })
    assert.deepEqual(await listed(store), all.slice(0, 1).map(({ id }) => id))
  })

  await t.test('changing returned or passed objects does not change the store', async () => {
    const { refused, events } = await createWithSource()
    const event = refused()
    const expected = structuredClone(event)
    await events.append([event], LIMITS)
    Object.assign(event.replay ?? {}, { visitorId: 'changed' })
    const [first] = (await events.list('org-a', {}, { limit: 1 })).data
    Object.assign(first?.replay ?? {}, { visitorId: 'changed' })
    assert.deepEqual(await events.get('org-a', event.id), expected)
  })
}

async function claimed (claims: ReturnType<TokenStore['refusedEvents']['claim']>): Promise<Array<[string, boolean]>> {
  return (await claims).map(({ event, again }) => [event.id, again] satisfies [string, boolean]).sort()
}

async function listed ({ refusedEvents }: TokenStore): Promise<string[]> {
  return (await refusedEvents.list('org-a', {}, { limit: 100 })).data.map(({ id }) => id)
}
