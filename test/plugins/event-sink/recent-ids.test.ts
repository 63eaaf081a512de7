import t from 'tap'

import { RecentIds } from '../../../plugins/event-sink/recent-ids.js'
import { DEDUPLICATION_WINDOW } from '../../../plugins/event-sink/sink.js'

t.test('D14: ids beyond the window are forgotten, so that what is remembered is bounded by the rate', async (t) => {
  const recent = new RecentIds()
  for (let minute = 0; minute < 3 * 1_440; minute++) {
    t.equal(recent.add(`id-${minute}`, minute * 60_000), true)
    t.ok(recent.size <= 1_440, `${recent.size} after ${minute} minutes`)
  }
  t.equal(recent.add('id-2881', 3 * DEDUPLICATION_WINDOW - 1), false)
})

t.test('an id that comes again after the window counts from then on', async (t) => {
  const recent = new RecentIds()
  t.equal(recent.add('a', 0), true)
  t.equal(recent.add('b', DEDUPLICATION_WINDOW - 1), true)
  t.equal(recent.add('a', DEDUPLICATION_WINDOW), true)
  t.equal(recent.add('a', 2 * DEDUPLICATION_WINDOW - 1), false)
  t.equal(recent.add('b', 2 * DEDUPLICATION_WINDOW - 1), true)
})
