import t from 'tap'

import { CountBuffer } from '../../../lib/counts/count-buffer.js'
import type { Count } from '../../../contracts/counts.js'

const HOUR = 3_600_000

/** A buffer with a clock and the counts that it has written; a write fails while `failure` is set. */
function buffered () {
  const state = { now: 10 * HOUR, failure: null as Error | null, failures: [] as unknown[] }
  const writes: Count[][] = []
  const buffer = new CountBuffer({
    write: async (counts) => {
      if (state.failure !== null) throw state.failure
      writes.push([...counts])
    },
    onFailure: (error) => state.failures.push(error),
    now: () => state.now
  })
  return { buffer, writes, state }
}

t.test('equal events of an hour are one count', async (t) => {
  const { buffer, writes, state } = buffered()
  buffer.add('source', 'org-a', 'one', 'bot', 2, 10)
  state.now += 5
  buffer.add('source', 'org-a', 'one', 'bot')
  await buffer.flush()
  const count = { orgId: 'org-a', kind: 'source', id: 'one', outcome: 'bot', hour: 10 * HOUR }
  t.same(writes, [[{ ...count, events: 3, bytes: 10, lastAt: 10 * HOUR + 5 }]])
  await buffer.flush()
  t.equal(writes.length, 1, 'nothing new is written')
})

t.test('another hour, outcome, id, kind or organisation is another count', async (t) => {
  const { buffer, writes, state } = buffered()
  buffer.add('source', 'org-a', 'one', 'bot')
  buffer.add('source', 'org-b', 'one', 'bot')
  buffer.add('embed', 'org-a', 'one', 'bot')
  buffer.add('source', 'org-a', 'two', 'bot')
  buffer.add('source', 'org-a', 'one', 'accepted')
  state.now += HOUR
  buffer.add('source', 'org-a', 'one', 'bot')
  await buffer.flush()
  t.equal(writes[0]?.length, 6)
  t.ok(writes[0]?.every(({ events }) => events === 1))
})

t.test('numbers of a failed write are kept and written with later ones, and one failure is reported', async (t) => {
  const { buffer, writes, state } = buffered()
  state.failure = new Error('the store is away')
  for (let time = 0; time < 3; time++) {
    buffer.add('source', 'org-a', 'one', 'bot')
    await buffer.flush()
  }
  t.same(state.failures, [state.failure])
  state.failure = null
  buffer.add('source', 'org-a', 'one', 'bot')
  await buffer.flush()
  t.equal(writes[0]?.[0]?.events, 4)
  t.equal(writes.length, 1)
})

t.test('close writes the rest, also what is added during a write', async (t) => {
  const writes: number[] = []
  let release = () => {}
  const buffer: CountBuffer = new CountBuffer({
    write: (counts) =>
      new Promise((resolve) => {
        writes.push(counts.reduce((sum, { events }) => sum + events, 0))
        release = resolve
      })
  })
  buffer.add('admin', 'org-a', '', 'login:password')
  const first = buffer.flush()
  buffer.add('admin', 'org-a', '', 'login:password', 2)
  const closed = buffer.close()
  release()
  await first
  while (writes.length < 2) await new Promise(setImmediate)
  release()
  await closed
  t.same(writes, [1, 2])
})

t.test('the number of counts that wait is bounded', async (t) => {
  const { buffer, writes, state } = buffered()
  state.failure = new Error('the store is away')
  for (let source = 0; source < 30_000; source++) buffer.add('source', 'org-a', `source-${source}`, 'bot')
  await buffer.flush()
  state.failure = null
  await buffer.flush()
  t.equal(writes[0]?.length, 20_000)
})
