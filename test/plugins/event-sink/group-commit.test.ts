import { setImmediate as turn } from 'node:timers/promises'

import t from 'tap'

import { GroupCommit } from '../../../plugins/event-sink/group-commit.js'
import type { AcceptedEvent } from '../../../plugins/event-sink/sink.js'
import { anEvent } from '../../contracts/event-sink.js'

/** A backend that confirms when told to. */
function backend () {
  const flushes: Array<{ ids: string[], confirm: () => void, fail: (error: unknown) => void }> = []
  return {
    flushes,
    flush: (events: readonly AcceptedEvent[]) => new Promise<void>((resolve, reject) => {
      flushes.push({ ids: events.map(({ messageId }) => messageId), confirm: resolve, fail: reject })
    })
  }
}

t.test('one flush is in flight at a time, and the next takes all that came meanwhile', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush })
  const events = Array.from({ length: 5 }, () => anEvent())
  const writes = events.map((event) => commit.write([event]))
  await turn()
  t.equal(flushes.length, 1)
  t.equal(commit.pending, 5)
  flushes[0]?.confirm()
  await writes[0]
  await turn()
  t.same(flushes[1]?.ids, events.slice(1).map(({ messageId }) => messageId))
  flushes[1]?.confirm()
  await Promise.all(writes)
  await turn()
  t.equal(commit.pending, 0)
})

t.test('a write is never split over two flushes', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush, maxBatch: 4 })
  const batch = (size: number) => Array.from({ length: size }, () => anEvent())
  const writes = [1, 3, 3, 9].map((size) => commit.write(batch(size)))
  for (let at = 0; at < 4; at++) {
    await turn()
    flushes[at]?.confirm()
    await writes[at]
  }
  t.same(flushes.map(({ ids }) => ids.length), [1, 3, 3, 9])
})

t.test('more than maxPending events are refused at once, and nothing waits for them', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush, maxPending: 2 })
  const writes = [commit.write([anEvent()]), commit.write([anEvent()])]
  await t.rejects(commit.write([anEvent()]), { code: 'UNAVAILABLE', statusCode: 503 })
  flushes[0]?.confirm()
  await writes[0]
  await turn()
  flushes[1]?.confirm()
  await writes[1]
  await turn()
  const next = commit.write([anEvent()])
  flushes[2]?.confirm()
  await next
})

t.test('a backend that does not confirm within ackTimeout gives UNAVAILABLE, to what is in flight and to what waits', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush, ackTimeout: 30 })
  const keepAlive = setTimeout(() => {}, 10_000)
  await Promise.all([t.rejects(commit.write([anEvent()]), { code: 'UNAVAILABLE' }), t.rejects(commit.write([anEvent()]), { code: 'UNAVAILABLE' })])
  clearTimeout(keepAlive)
  t.equal(commit.pending, 1, 'the flush in flight still counts, what waited is given up')
  flushes[0]?.confirm()
  await turn()
  t.equal(commit.pending, 0)
  const after = commit.write([anEvent()])
  flushes[1]?.confirm()
  await after
})

t.test('a failing backend refuses the writes of that flush alone', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush })
  const first = commit.write([anEvent()])
  const second = commit.write([anEvent()])
  flushes[0]?.fail(new Error('gone'))
  await t.rejects(first, { code: 'UNAVAILABLE', retryAfter: 1 })
  await turn()
  flushes[1]?.confirm()
  await second
})

t.test('a closed commit refuses new writes', async (t) => {
  const commit = new GroupCommit({ flush: async () => {} })
  await commit.close()
  await t.rejects(commit.write([anEvent()]), { code: 'UNAVAILABLE' })
})
