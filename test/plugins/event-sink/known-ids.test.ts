import t from 'tap'

import { eventId } from '../../../plugins/event-sink/event-id.js'
import { KnownIds } from '../../../plugins/event-sink/known-ids.js'
import { DEDUPLICATION_WINDOW } from '../../../contracts/event-sink.js'
import { anEvent } from '../../../conformance/event-sink/index.js'

const NOW = Date.UTC(2026, 0, 15)

function idsOf (count: number): string[] {
  const event = anEvent()
  return Array.from({ length: count }, (_none, at) => eventId({ ...event, messageId: `id-${at}` }))
}

t.test('an id is known for exactly 24 hours, also to a clock that is behind', async (t) => {
  const known = new KnownIds()
  const [id, other] = idsOf(2) as [string, string]
  known.add(id, NOW)
  t.same([-1_000, 0, DEDUPLICATION_WINDOW - 1, DEDUPLICATION_WINDOW].map((later) => known.has(id, NOW + later)), [true,
    true, true, false])
  t.equal(known.has(other, NOW), false)
  known.add(id, NOW + DEDUPLICATION_WINDOW)
  t.equal(known.has(id, NOW + DEDUPLICATION_WINDOW), true, 'the newer time counts')
})

t.test('the last of many ids is known, most ids shortly before it are known, and an id that was not ' +
  'added is not', async (t) => {
  const known = new KnownIds()
  const ids = idsOf(300_000)
  const added = ids.slice(0, 200_000)
  for (const id of added) {
    known.add(id, NOW)
    if (!known.has(id, NOW)) t.fail('the last id is unknown')
  }
  const share = (some: string[]) => some.filter((id) => known.has(id, NOW)).length / some.length
  t.ok(share(added.slice(-10_000)) > 0.9)
  t.equal(share(ids.slice(200_000)), 0)
})

t.test('ids that share a slot or differ in one byte are distinguished', async (t) => {
  const known = new KnownIds()
  const id = 'abcdefghijklmnop'
  known.add(id, NOW)
  for (let at = 0; at < 16; at++) t.equal(known.has(`${id.slice(0, at)}\xff${id.slice(at + 1)}`, NOW), false)
  const sameSlot = `\xff${id.slice(1)}`
  known.add(sameSlot, NOW)
  t.same([known.has(id, NOW), known.has(sameSlot, NOW)], [false, true], 'the newer id replaces the older id')
})

t.test('known and repeated events are left out, and events with a "repeat" field are marked', async (t) => {
  const known = new KnownIds()
  const stored = anEvent({ messageId: 'stored', receivedAt: NOW })
  known.addAll(new Map([[eventId(stored), stored]]))
  const events = [
    { ...stored, repeat: false },
    { ...stored },
    anEvent({ messageId: 'new', receivedAt: NOW, repeat: false }),
    anEvent({ messageId: 'new', receivedAt: NOW, repeat: false }),
    { ...stored, receivedAt: NOW + DEDUPLICATION_WINDOW }
  ]
  t.same([...known.unknownOf(events).values()], [events[2], events[4]])
  t.same(events.map(({ repeat }) => repeat), [true, undefined, false, true, undefined])
})
