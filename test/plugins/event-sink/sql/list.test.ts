import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { openDatabase } from '../../../../lib/database/open-database.js'
import type { Database } from '../../../../lib/database/open-database.js'
import type { AcceptedEvent, EventFilter, ReadableEventSink } from '../../../../contracts/event-sink.js'
import { eventPartitions } from '../../../../plugins/event-sink/sql/partitions.js'
import { sqlSink } from '../../../../plugins/event-sink/sql/index.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'
import { encodeCursor } from '../../../../lib/database/list/cursor.js'
import { privatePostgres } from '../../../helpers/postgres.js'

const DAY = 24 * 60 * 60 * 1000
const FIRST = Date.UTC(2040, 0, 1)
const NOW = FIRST + 299.5 * DAY

/** All pages of a list. */
async function pages (
  sink: ReadableEventSink,
  filter: EventFilter,
  limit: number,
  start?: string
): Promise<AcceptedEvent[][]> {
  const all: AcceptedEvent[][] = []
  let cursor = start
  do {
    const { data, nextCursor } = await sink.list('org-a', filter, { limit, cursor })
    all.push(data)
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
  return all
}

const ids = (events: ReadonlyArray<AcceptedEvent | undefined>): unknown[] => events.map((event) => event?.messageId)

async function goesBackInTime (t: Test, database: Database): Promise<void> {
  const partitions = await eventPartitions(database)
  for (let day = 0; day < 300; day += 4) await partitions.prepare(FIRST + day * DAY)
  const sink = await sqlSink(database, { now: () => NOW })
  // Few events, also before the first day that has a table and after the last.
  const days = [-500, 0, 1, 30, 31, 32, 33, 150, 290, 295, 296, 297, 298, 299, 299.4, 900]
  const events = days.map((day) => anEvent({ receivedAt: FIRST + day * DAY }))
  await sink.write(events)
  const expected = ids([...events].reverse())

  await t.test('pages of any size together contain all events, newest first, over days with and without ' +
    'a table', async (t) => {
    for (const limit of [1, 2, 3, 5, 15, 16, 100]) {
      const all = await pages(sink, {}, limit)
      t.same(ids(all.flat()), expected, `by ${limit}`)
    }
  })

  await t.test('"from" and "to" limit the list on both sides', async (t) => {
    const at = (day: number) => FIRST + day * DAY
    const bounds = [
      [at(30), at(33)],
      [at(0), at(0)],
      [at(-1e3), at(1)],
      [at(296), undefined],
      [undefined, at(32)],
      [at(299), at(1e3)],
      [at(40), at(50)],
      [at(9), at(3)]
    ]
    for (const [from, to] of bounds) {
      const inside = events.filter(({ receivedAt }) =>
        receivedAt >= (from ?? -Infinity) && receivedAt <= (to ?? Infinity)
      ).reverse()
      for (const limit of [1, 100]) {
        t.same(ids((await pages(sink, { from, to }, limit)).flat()), ids(inside), `${from} to ${to}, by ${limit}`)
      }
    }
  })

  await t.test('an invented cursor returns the events before it or is refused', async (t) => {
    const below = async (cursor: string) => (await pages(sink, {}, 100, cursor)).flat().length
    t.equal(await below(encodeCursor({ timestamp: 8.64e15, sequence: Number.MAX_SAFE_INTEGER })), events.length)
    t.equal(await below(encodeCursor({ timestamp: 0, sequence: 0 })), 0)
    for (const cursor of ['1', '1.2', '1.2.3', 'x', encodeCursor({ timestamp: 9e15, sequence: 0 })]) {
      await t.rejects(below(cursor), { code: 'INVALID_REQUEST' }, cursor)
    }
  })
}

t.test('the embedded database lists events of many days', async (t) => {
  const database = await openDatabase({ memory: true })
  t.teardown(() => database.close())
  await goesBackInTime(t, database)
})

t.test('PostgreSQL lists events of many days', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const database = await openDatabase({ url: server.url })
  t.teardown(() => database.close())
  await goesBackInTime(t, database)

  t.test('a page reads only the tables of its days, even while another table is locked', async (t) => {
    const sink = await sqlSink(database, { now: () => NOW })
    await database.db.transaction().execute(async (other) => {
      await sql`lock table events_20400131 in access exclusive mode`.execute(other)
      t.equal((await sink.list('org-a', {}, { limit: 5 })).data.length, 5)
      const old = anEvent({ receivedAt: FIRST + 32 * DAY })
      t.equal(
        (await sink.list('org-a', { from: old.receivedAt, to: old.receivedAt }, { limit: 5 })).data.length,
        1,
        'a page of an old day reads no other table'
      )
    })
  })
})
