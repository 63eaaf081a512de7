import assert from 'node:assert/strict'

import { DEDUPLICATION_WINDOW } from '../../contracts/event-sink.js'
import type { CountFilter, EventSink, SinkCounts } from '../../contracts/event-sink.js'
import type { ContractTest } from '../contract-test.js'
import { NOW, anEvent } from './fixtures.js'
import type { CreateSink } from './fixtures.js'

const HOUR = 3_600_000
const ALL: CountFilter = { kind: 'stored', from: 0, to: 8e12 }

/** Returns the number of accepted events of a source. */
export async function acceptedOf (counts: SinkCounts, orgId = 'org-a', id = 'source-a'): Promise<number> {
  const totals = await counts.totals(orgId, { ...ALL, id, outcome: 'accepted' })
  return totals.reduce((sum, { events }) => sum + events, 0)
}

/** Tests of `counts`, for sinks that have them. */
export async function countingContract (t: ContractTest, create: CreateSink): Promise<void> {
  await t.test('events are counted by organisation, source and hour, with the bytes of their JSON', async () => {
    const { sink } = await create()
    const { counts } = sink
    if (counts === undefined) return
    const payload = '{"event":"Größe 🙂"}'
    const bytes = Buffer.byteLength(payload)
    await sink.write([anEvent({ payload }), anEvent({ payload, receivedAt: NOW + 5 })])
    await sink.write([anEvent({ payload, receivedAt: NOW + HOUR })])
    await sink.write([anEvent({ payload, sourceId: 'source-b' }), anEvent({ payload, orgId: 'org-b' })])
    const total = (id: string, events: number, lastAt: number) =>
      ({ id, outcome: 'accepted', events, bytes: events * bytes, lastAt })
    assert.deepEqual(await counts.totals('org-a', ALL), [
      total('source-a', 3, NOW + HOUR), total('source-b', 1, NOW)
    ])
    assert.deepEqual(await counts.totals('org-b', ALL), [total('source-a', 1, NOW)])
    assert.deepEqual(await counts.series('org-a', { ...ALL, id: 'source-a' }, 'hour'), [
      { at: NOW, outcome: 'accepted', events: 2, bytes: 2 * bytes },
      { at: NOW + HOUR, outcome: 'accepted', events: 1, bytes }
    ])
  })

  await t.test('a duplicate is not counted as accepted, whichever way it comes', async () => {
    const { sink } = await create()
    const { counts } = sink
    if (counts === undefined) return
    const event = anEvent()
    await sink.write([event])
    await sink.write([event])
    await sink.write([event, anEvent(), event])
    await Promise.all(Array.from({ length: 10 }, () => sink.write([anEvent(), event])))
    await sink.write([{ ...event, receivedAt: NOW + DEDUPLICATION_WINDOW }])
    assert.equal(await acceptedOf(counts), 13)
    await sink.sweep?.()
    assert.equal(await acceptedOf(counts), 13)
  })

  await t.test('duplicates are counted by source when the sink is closed', async () => {
    const { sink } = await create()
    const { counts } = sink
    if (counts === undefined) return
    const events = [anEvent(), anEvent({ sourceId: 'source-b' }), anEvent({ sourceId: 'source-b' })]
    for (let time = 0; time < 3; time++) await sink.write(events)
    await sink.close()
    const totals = await counts.totals('org-a', { ...ALL, outcome: 'deduplicated' })
    assert.deepEqual(totals.map(({ id, events }) => [id, events]), [['source-b', 4], ['source-a', 2]])
  })

  await t.test('events of a write that failed are not counted until they are stored', async () => {
    const { sink } = await create()
    const { counts } = sink
    if (counts === undefined) return
    const event = anEvent()
    const failed = await sink.write([event, anEvent({ payload: 'no JSON' })]).then(() => false, () => true)
    if (failed) assert.equal(await acceptedOf(counts), 0)
    await sink.write([event])
    assert.equal(await acceptedOf(counts), failed ? 1 : 2)
  })

  await t.test('the counts of hours that ended before a time are deleted, and no others', async () => {
    const { sink } = await create()
    const { counts } = sink
    if (counts === undefined) return
    const hours = [0, 1, 2].map((hour) => NOW + hour * HOUR)
    for (const receivedAt of hours) await sink.write([anEvent({ receivedAt })])
    await sink.sweep?.()
    await counts.expire(NOW + HOUR - 1)
    const kept = async () => (await counts.series('org-a', ALL, 'hour')).map(({ at }) => at)
    assert.deepEqual(await kept(), hours)
    await counts.expire(NOW + 2 * HOUR)
    assert.deepEqual(await kept(), hours.slice(2))
  })
}

/** Tests that the counts of several sinks on one backend equal the events that the sinks have stored. */
export async function countedTogether (
  t: ContractTest,
  createTwo: () => Promise<[EventSink, EventSink]>
): Promise<void> {
  await t.test('two instances that write overlapping events and sweep at once count each stored event ' +
    'once', async () => {
    const [a, b] = await createTwo()
    if (a.counts === undefined) return
    // Of now, as the sweep deletes the ids of older events, which would be stored again.
    const receivedAt = Date.now()
    const events = Array.from({ length: 400 }, () => anEvent({ receivedAt }))
    const writes: Array<Promise<void> | undefined> = []
    for (let at = 0; at < 400; at += 20) {
      writes.push(a.write(events.slice(at, at + 30)), b.write(events.slice(at, at + 20).reverse()))
      writes.push(a.sweep?.(), b.sweep?.())
      if (at % 100 === 80) await Promise.all(writes)
    }
    await Promise.all(writes)
    assert.equal(await acceptedOf(a.counts), 400)
    await Promise.all([a.sweep?.(), b.sweep?.()])
    assert.equal(await acceptedOf(a.counts), 400)
  })
}
