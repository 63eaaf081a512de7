import { setImmediate as turn } from 'node:timers/promises'

import t from 'tap'

import { GroupCommit } from '../../../plugins/event-sink/group-commit.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import { anEvent } from '../../../conformance/event-sink/index.js'
import { holdTimers } from '../../helpers/held-timers.js'
import { stopClock } from '../../helpers/stopped-clock.js'

/** A backend that confirms when the test calls `confirm`. */
function backend () {
  const flushes: Array<{ ids: string[], confirm: () => void, fail: (error: unknown) => void }> = []
  return {
    flushes,
    flush: (events: readonly AcceptedEvent[]) =>
      new Promise<void>((resolve, reject) => {
        flushes.push({ ids: events.map(({ messageId }) => messageId), confirm: resolve, fail: reject })
      })
  }
}

t.test('one flush runs at a time while less than a whole batch waits, and the next contains ' +
  'all waiting writes', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush })
  const [first = anEvent(), ...others] = Array.from({ length: 5 }, () => anEvent())
  const writes = [commit.write([first])]
  await turn()
  writes.push(...others.map((event) => commit.write([event])))
  await turn()
  t.equal(flushes.length, 1)
  t.equal(commit.pending, 5)
  flushes[0]?.confirm()
  await writes[0]
  await turn()
  t.same(flushes[1]?.ids, others.map(({ messageId }) => messageId))
  flushes[1]?.confirm()
  await Promise.all(writes)
  await turn()
  t.equal(commit.pending, 0)
})

t.test('the first flush after a pause contains the writes of the same turn of the event loop', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush })
  for (const at of [0, 1]) {
    const writes = Array.from({ length: 3 }, () => commit.write([anEvent()]))
    t.equal(flushes.length, at)
    await turn()
    t.equal(flushes[at]?.ids.length, 3)
    flushes[at]?.confirm()
    await Promise.all(writes)
  }
})

t.test('32 waiting events are flushed at once', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush })
  const writes = Array.from({ length: 40 }, () => commit.write([anEvent()]))
  t.same(flushes.map(({ ids }) => ids.length), [32])
  flushes[0]?.confirm()
  await writes[0]
  t.same(flushes.map(({ ids }) => ids.length), [32, 8])
  flushes[1]?.confirm()
  await Promise.all(writes)
})

t.test('a second flush starts when a whole batch waits, and a third flush waits', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush, maxBatch: 3 })
  const writes = [commit.write([anEvent()])]
  await turn()
  writes.push(...Array.from({ length: 7 }, () => commit.write([anEvent()])))
  t.same(flushes.map(({ ids }) => ids.length), [1, 3])
  flushes[1]?.confirm()
  await Promise.all(writes.slice(1, 4))
  t.same(flushes.map(({ ids }) => ids.length), [1, 3, 3], 'a flush of the next batch follows the finished flush')
  flushes[0]?.confirm()
  await writes[0]
  t.equal(flushes.length, 3, 'one event is no whole batch')
  t.equal(commit.pending, 4)
  flushes[2]?.confirm()
  await Promise.all(writes.slice(4, 7))
  t.same(flushes.map(({ ids }) => ids.length), [1, 3, 3, 1])
  flushes[3]?.fail(new Error('gone'))
  await t.rejects(writes[7] as Promise<void>, { code: 'UNAVAILABLE' })
})

t.test('close waits for both flushes and for the waiting writes', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush, maxBatch: 2 })
  const first = commit.write([anEvent()])
  await turn()
  const writes = Promise.all([first, ...Array.from({ length: 3 }, () => commit.write([anEvent()]))])
  let closed = false
  const close = commit.close().then(() => {
    closed = true
  })
  for (const at of [0, 1, 2]) {
    await turn()
    t.equal(closed, false)
    flushes[at]?.confirm()
  }
  await Promise.all([writes, close])
})

t.test('the next flush starts before the writes of the last flush resolve', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush })
  const first = commit.write([anEvent()]).then(() => flushes.length)
  await turn()
  const second = commit.write([anEvent()])
  flushes[0]?.confirm()
  t.equal(await first, 2)
  flushes[1]?.confirm()
  await second
})

t.test('a write is never split over two flushes', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush, maxBatch: 4 })
  const batch = (size: number) => Array.from({ length: size }, () => anEvent())
  const writes = [commit.write(batch(1))]
  await turn()
  writes.push(...[3, 3, 9].map((size) => commit.write(batch(size))))
  for (let at = 0; at < 4; at++) {
    await turn()
    flushes[at]?.confirm()
    await writes[at]
  }
  t.same(flushes.map(({ ids }) => ids.length), [1, 3, 3, 9])
})

t.test('events beyond maxPending are refused immediately', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush, maxPending: 2 })
  const writes = [commit.write([anEvent()])]
  await turn()
  writes.push(commit.write([anEvent()]))
  await t.rejects(commit.write([anEvent()]), { code: 'UNAVAILABLE', statusCode: 503 })
  flushes[0]?.confirm()
  await writes[0]
  await turn()
  flushes[1]?.confirm()
  await writes[1]
  await turn()
  const next = commit.write([anEvent()])
  await turn()
  flushes[2]?.confirm()
  await next
})

t.test('writes in flight and waiting writes fail with UNAVAILABLE if the backend does not ' +
  'confirm within ackTimeout', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush, ackTimeout: 30 })
  const keepAlive = setTimeout(() => {}, 10_000)
  const inFlight = t.rejects(commit.write([anEvent()]), { code: 'UNAVAILABLE' })
  await turn()
  await Promise.all([inFlight, t.rejects(commit.write([anEvent()]), { code: 'UNAVAILABLE' })])
  clearTimeout(keepAlive)
  t.equal(commit.pending, 1, 'the flush in flight still counts, the waiting write does not')
  flushes[0]?.confirm()
  await turn()
  t.equal(commit.pending, 0)
  const after = commit.write([anEvent()])
  await turn()
  flushes[1]?.confirm()
  await after
})

t.test('a backend failure refuses only the writes of that flush', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush })
  const first = commit.write([anEvent()])
  await turn()
  const second = commit.write([anEvent()])
  flushes[0]?.fail(new Error('gone'))
  await t.rejects(first, { code: 'UNAVAILABLE', retryAfterSeconds: 1 })
  await turn()
  flushes[1]?.confirm()
  await second
})

t.test('a closed commit refuses new writes', async (t) => {
  const commit = new GroupCommit({ flush: async () => {} })
  await commit.close()
  await t.rejects(commit.write([anEvent()]), { code: 'UNAVAILABLE' })
})

t.test('close returns after ackTimeout if the backend hangs', { timeout: 10_000 }, async (t) => {
  const { flush } = backend()
  const commit = new GroupCommit({ flush, ackTimeout: 30 })
  const writes = [commit.write([anEvent()]), commit.write([anEvent()])].map((write) =>
    t.rejects(write, { code: 'UNAVAILABLE' })
  )
  await commit.close()
  await Promise.all(writes)
})

t.test('a bad write among 256 costs few flushes and fails no other write', async (t) => {
  const bad = anEvent()
  let flushes = 0
  const commit = new GroupCommit({
    isDataError: () => true,
    async flush (events) {
      // The others arrive during the first flush.
      if (++flushes === 1) await turn()
      if (events.includes(bad)) throw new Error('bad data')
    }
  })
  const writes = [commit.write([anEvent()])]
  await turn()
  writes.push(...[bad, ...Array.from({ length: 255 }, () => anEvent())].map((event) => commit.write([event])))
  const outcomes = await Promise.allSettled(writes)
  t.same(outcomes.flatMap((outcome, at) => outcome.status === 'rejected' ? [[at, outcome.reason.code]] : []), [[1,
    'INTERNAL_ERROR']])
  t.equal(flushes, 1 + 1 + 2 * 8, 'the first alone, the rest together, then two halves at each of eight levels')
})

t.test('a backend that rejects with undefined gives UNAVAILABLE, and the next write is tried', async (t) => {
  let broken = true
  const nothing: unknown = undefined
  const commit = new GroupCommit({ flush: async () => { if (broken) throw nothing } })
  await t.rejects(commit.write([anEvent()]), { code: 'UNAVAILABLE' })
  broken = false
  await commit.write([anEvent()])
})

t.test('the size of a flush and the size of the waiting writes are limited', async (t) => {
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush })
  const large = () => anEvent({ payload: `"${'x'.repeat(600_000)}"` })
  const writes = [commit.write([large()])]
  await turn()
  writes.push(...[large(), anEvent(), large()].map((event) => commit.write([event])))
  for (const [at, length] of [1, 2, 1].entries()) {
    await turn()
    t.equal(flushes[at]?.ids.length, length)
    flushes[at]?.confirm()
  }
  await Promise.all(writes)
  await turn()

  const huge = () => anEvent({ payload: 'x'.repeat(33 * 1024 * 1024) })
  const waiting = commit.write([huge()])
  await turn()
  await t.rejects(commit.write([huge()]), { code: 'UNAVAILABLE' })
  flushes[3]?.confirm()
  await waiting
  await turn()
  const next = commit.write([huge(), huge()])
  flushes[4]?.confirm()
  await next
})

t.test('a write fails after ackTimeout although the clock is set back, and not earlier although it ' +
  'is set ahead', async (t) => {
  const { now } = Date
  const step = (offset: number) => {
    Date.now = () => now() + offset
  }
  t.teardown(() => {
    Date.now = now
  })
  const clock = stopClock(t)
  const limit = holdTimers(t, 61_234)
  const { flush, flushes } = backend()
  const commit = new GroupCommit({ flush, ackTimeout: 61_234 })
  const late = commit.write([anEvent()])
  await turn()
  step(-360_000)
  clock.advance(61_234)
  limit.run()
  await t.rejects(late, { code: 'UNAVAILABLE' })

  const kept = commit.write([anEvent()])
  step(360_000)
  limit.run()
  flushes[0]?.confirm()
  await turn()
  flushes[1]?.confirm()
  await kept
})

t.test('an invalid maxPending, ackTimeout or maxBatch is refused', async (t) => {
  for (const name of ['maxPending', 'ackTimeout', 'maxBatch']) {
    for (const value of [0, -1, 1.5, NaN, Infinity, '5']) {
      t.throws(() => new GroupCommit({ flush: async () => {}, [name]: value }), {
        code: 'INVALID_OPTIONS',
        message: new RegExp(`"${name}"`)
      })
    }
  }
  t.throws(() => new GroupCommit({ flush: async () => {}, ackTimeout: 2 ** 31 }), { code: 'INVALID_OPTIONS' })
})
