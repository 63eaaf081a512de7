import fc from 'fast-check'
import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { openDatabase } from '../../../../lib/database/open-database.js'
import type { Database } from '../../../../lib/database/open-database.js'
import { EVENT_TYPES } from '../../../../contracts/event-sink.js'
import type { AcceptedEvent, ReadableEventSink } from '../../../../contracts/event-sink.js'
import { matchesFilter } from '../../../../plugins/event-sink/event-search.js'
import { eventPartitions } from '../../../../plugins/event-sink/sql/partitions.js'
import { sqlSink } from '../../../../plugins/event-sink/sql/index.js'
import { listed } from '../../../../conformance/event-sink/fixtures.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'
import { privatePostgres } from '../../../helpers/postgres.js'

const DAY = 86_400_000
const NOW = Date.UTC(2040, 5, 1, 12)
/** Older events have no keys in the second run. */
const KEYED_SINCE = NOW - 20.3 * DAY

const time = fc.option(fc.integer({ min: -70, max: 10 }).map((day) => NOW + day * DAY), { nil: undefined })
const choice = (...values: string[]) => fc.option(fc.constantFrom(...values), { nil: undefined })
const filters = fc.record({
  sourceId: choice('one', 'two', 'three'),
  type: fc.option(fc.constantFrom(...EVENT_TYPES), { nil: undefined }),
  event: choice('e0', 'e1', 'e9'),
  userId: choice('u0', 'u7', 'u77'),
  messageId: choice('m9', 'm77', 'm500'),
  anonymousId: choice('a0', 'a1'),
  from: time,
  to: time,
  timestampFrom: time,
  timestampTo: time
})

/** Events of 50 days, sorted as a list sorts them. */
function manyEvents (): AcceptedEvent[] {
  return Array.from({ length: 400 }, (_, n) =>
    anEvent({
      messageId: `m${n}`,
      orgId: n % 10 === 9 ? 'org-b' : 'org-a',
      sourceId: n % 7 === 0 ? 'two' : 'one',
      type: EVENT_TYPES[n % 11 === 0 ? 1 + n % 3 : 0] as AcceptedEvent['type'],
      receivedAt: NOW - Math.floor((n * 7919) % 400) * DAY / 8,
      timestamp: NOW - (n * 31 % 400) * DAY / 8,
      payload: JSON.stringify({ event: `e${n % 3}`, userId: `u${n % 40}`, anonymousId: `a${n % 2}` })
    })).sort((one, other) => other.receivedAt - one.receivedAt)
}

async function findsMatches (t: Test, database: Database): Promise<void> {
  const partitions = await eventPartitions(database)
  for (let day = 60; day >= 0; day -= 4) await partitions.prepare(NOW - day * DAY)
  const events = manyEvents()
  const sink = await sqlSink(database, { now: () => NOW })
  await sink.write(events)
  await t.resolves(findsExactly(sink, events), 'events with keys')
  await partitions.index(NOW, () => false)
  await t.resolves(findsExactly(await sqlSink(database, { now: () => NOW }), events), 'days with indexes of look-ups')
  await sql`update events set message_key = null, event_key = null, user_key = null, anonymous_key = null
    where received_at < ${new Date(KEYED_SINCE)}`.execute(database.db)
  const day = new Date(NOW - 10 * DAY).toISOString().slice(0, 10).replaceAll('-', '')
  await sql`drop index ${sql.id(`events_${day}_user`)}`.execute(database.db)
  await sql`update event_keys set since = ${new Date(KEYED_SINCE)}`.execute(database.db)
  await t.resolves(
    findsExactly(await sqlSink(database, { now: () => NOW }), events),
    'partly without indexes, partly older than their keys'
  )
}

function findsExactly (sink: ReadableEventSink, events: readonly AcceptedEvent[]): Promise<void> {
  const organisations = fc.constantFrom('org-a', 'org-b')
  const limits = fc.integer({ min: 1, max: 100 })
  return fc.assert(
    fc.asyncProperty(organisations, filters, limits, async (orgId, filter, limit) => {
      const found: string[] = []
      let cursor: string | undefined
      do {
        const { data, nextCursor } = await sink.list(orgId, filter, { limit, cursor })
        found.push(...data.map(({ messageId }) => messageId))
        cursor = nextCursor ?? undefined
      } while (cursor !== undefined)
      const { from = -Infinity, to = Infinity } = filter
      const expected = events.filter((event) =>
        event.orgId === orgId && event.receivedAt >= from && event.receivedAt <= to && matchesFilter(event, filter)
      ).map(({ messageId }) => messageId)
      return JSON.stringify(found) === JSON.stringify(expected)
    }),
    { numRuns: 20 }
  )
}

t.test('a search of a slow database finds an old event, although each statement takes longer than a page', async (t) => {
  const database = await openDatabase({ memory: true })
  t.teardown(() => database.close())
  const sink = await sqlSink(database)
  const event = anEvent({ receivedAt: NOW - 50 * DAY, payload: '{"userId":"ann"}' })
  await sink.write([event])
  let time = performance.now()
  t.intercept(performance, 'now', { value: () => (time += 1_000) })
  t.same(await listed(sink, 'org-a', { userId: 'ann' }), [event])
})

t.test('a search finds exactly the events that match, on the embedded database', async (t) => {
  const database = await openDatabase({ memory: true })
  t.teardown(() => database.close())
  await findsMatches(t, database)
})

t.test('a search finds exactly the events that match, on PostgreSQL', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const database = await openDatabase({ url: server.url })
  t.teardown(() => database.close())
  await findsMatches(t, database)
})
