import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import t from 'tap'

import { EventLog } from '../../../../plugins/event-sink/memory/event-log.js'
import { IdTable } from '../../../../plugins/event-sink/memory/id-table.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'

t.test('an event log returns unusual events unchanged', async (t) => {
  const log = new EventLog()
  const events = [
    anEvent({ messageId: 'a\0b\\u0000\ud800', userAgent: null, timestamp: -62_135_596_800_000 }),
    anEvent({ payload: '{"event":"ü🙂 "}', userAgent: '', additions: '{}' }),
    anEvent({ payload: JSON.stringify({ large: 'x'.repeat(3 * 1024 * 1024) }) }),
    anEvent({ messageId: '🙂'.repeat(50) })
  ]
  for (const event of events) log.append(event)
  t.same(events.map((_event, number) => log.get(number)), events)
  t.throws(() => log.get(4), RangeError)
})

t.test('dropped events are gone, and the other events keep their numbers', async (t) => {
  const log = new EventLog()
  const event = (at: number) =>
    anEvent({ receivedAt: at, payload: JSON.stringify({ at, filler: 'x'.repeat(100_000) }) })
  for (let at = 0; at < 100; at++) log.append(event(at))
  log.dropBefore(60)
  t.throws(() => log.get(59), RangeError)
  for (let at = 100; at < 120; at++) log.append(event(at))
  for (let at = 60; at < 120; at++) t.equal(log.receivedAt(at), at)
  t.same([log.first, log.end], [60, 120])
  log.dropBefore(120)
  log.append(event(120))
  t.equal(log.get(120).receivedAt, 120)
})

t.test('dropped events use no memory, even if each chunk is emptied before the next chunk starts', async (t) => {
  const log = new EventLog()
  const payload = JSON.stringify({ filler: 'x'.repeat(400_000) })
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const before = process.memoryUsage().arrayBuffers
  for (let at = 0; at < 100; at++) {
    log.append(anEvent({ receivedAt: at, payload }))
    log.dropBefore(at + 1)
  }
  collect()
  // Buffers are freed in the background; a second collection waits for that.
  collect()
  const chunks = (process.memoryUsage().arrayBuffers - before) / 1_200_000
  t.ok(chunks < 10, `${chunks} chunks`)
  log.append(anEvent({ receivedAt: 100 }))
  t.same([log.first, log.end, log.receivedAt(100)], [100, 101, 100])
})

t.test('a table finds every id that it must keep while it grows, and no unknown id', async (t) => {
  const table = new IdTable()
  const names = Array.from({ length: 50_000 }, (_none, at) => `id-${at % 30_000}-${at}`)
  const find = (name: string, first: number) => {
    const hash = table.hash(name)
    const slot = table.slot(hash, (number) => number >= first && names[number] === name)
    return { hash, slot, number: table.at(slot) }
  }
  for (const [number, name] of names.entries()) {
    const { hash, slot, number: before } = find(name, 0)
    if (before !== null) t.fail(`${name} was there before`)
    table.set(slot, hash, number, number < 40_000 ? 0 : 20_000)
  }
  t.ok(names.every((name, number) => number < 20_000 || find(name, 20_000).number === number))
  t.equal(find('id-never', 0).number, null)
})
