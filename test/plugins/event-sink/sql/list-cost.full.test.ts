import { setTimeout as sleep } from 'node:timers/promises'

import fc from 'fast-check'
import { sql } from 'kysely'
import pg from 'pg'
import t from 'tap'
import type { Test } from 'tap'

import { openDatabase } from '../../../../lib/database/open-database.js'
import type { Database } from '../../../../lib/database/open-database.js'
import { createPglitePool } from '../../../../lib/database/pglite/pool.js'
import { startPgliteThread } from '../../../../lib/database/pglite/thread.js'
import type { PostgresPoolSlice } from '../../../../lib/database/postgres/pool-slice.js'
import { EVENT_TYPES } from '../../../../contracts/event-sink.js'
import type { AcceptedEvent, EventFilter, ReadableEventSink } from '../../../../contracts/event-sink.js'
import { eventPartitions } from '../../../../plugins/event-sink/sql/partitions.js'
import { sqlSink } from '../../../../plugins/event-sink/sql/index.js'
import { PAGE_STATEMENTS } from '../../../../lib/database/list/budget.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'
import { privatePostgres } from '../../../helpers/postgres.js'

const DAY = 86_400_000
const NOW = Date.UTC(2040, 5, 1, 12)
const SOURCES = ['one', 'two', 'three']

/** A pool that counts its statements. */
function counting (pool: PostgresPoolSlice) {
  const counted = {
    statements: 0,
    pool: {
      async connect () {
        const client = await pool.connect()
        return {
          query (...parameters: Parameters<typeof client.query>) {
            counted.statements++
            return client.query(...parameters)
          },
          release: (broken?: Error) => client.release(broken)
        }
      },
      end: () => pool.end()
    } satisfies PostgresPoolSlice
  }
  return counted
}

/** Events of many days, most of them tracks, and more of them than one page scans. */
async function filled (t: Test, pool: PostgresPoolSlice) {
  const counted = counting(pool)
  const database = await openDatabase({ pool: counted.pool })
  t.teardown(() => pool.end())
  const partitions = await eventPartitions(database)
  for (let day = 60; day >= 0; day -= 4) await partitions.prepare(NOW - day * DAY)
  const sink = await sqlSink(database, { now: () => NOW })
  const events = Array.from({ length: 400 }, (_, n) =>
    anEvent({
      orgId: n % 10 === 9 ? 'org-b' : 'org-a',
      sourceId: SOURCES[n % 7 === 0 ? 1 : 0] as string,
      type: EVENT_TYPES[n % 11 === 0 ? 1 + n % 3 : 0] as AcceptedEvent['type'],
      receivedAt: NOW - Math.floor((n * 7919) % 400) * DAY / 8
    }))
  await sink.write(events)
  return { counted, database, sink, events }
}

/** Adds page events of another organisation. */
async function addTracks ({ db }: Database, count: number): Promise<void> {
  await sql`
    insert into events (org_id, source_id, message_id, type, auth_method, received_at, timestamp, ip, payload, additions)
    select 'org-many', 'many', 'm' || n, 'page', 'key', ${new Date(
    NOW
  )}::timestamptz - n * interval '1 second', now(), '', '{}', '{}'
    from generate_series(1, ${sql.lit(count)}) n`.execute(db)
}

function matching (
  events: readonly AcceptedEvent[],
  orgId: string,
  { sourceId, type, from = -Infinity, to = Infinity }: EventFilter
): string[] {
  return events.map((event, at) => ({ event, at }))
    .filter(({ event }) =>
      event.orgId === orgId && (sourceId === undefined || event.sourceId === sourceId) &&
      (type === undefined || event.type === type) && event.receivedAt >= from && event.receivedAt <= to
    )
    .sort((one, other) => other.event.receivedAt - one.event.receivedAt || other.at - one.at)
    .map(({ event }) => event.messageId)
}

const times = fc.option(fc.integer({ min: -70, max: 10 }).map((day) => NOW + day * DAY), { nil: undefined })
const filters = fc.record({
  sourceId: fc.option(fc.constantFrom(...SOURCES), { nil: undefined }),
  type: fc.option(fc.constantFrom(...EVENT_TYPES), { nil: undefined }),
  from: times,
  to: times
})

async function costsLittle (t: Test, pool: PostgresPoolSlice): Promise<void> {
  const { counted, database, sink, events } = await filled(t, pool)

  async function page (
    orgId: string,
    filter: EventFilter,
    limit: number,
    cursor?: string
  ): ReturnType<ReadableEventSink['list']> {
    counted.statements = 0
    const answer = await sink.list(orgId, filter, { limit, cursor })
    if (counted.statements > PAGE_STATEMENTS) throw new Error(`${counted.statements} statements`)
    return answer
  }

  await t.test('pages of any filter and size together contain exactly the matching events, each ' +
    'with few statements', async (t) => {
    await t.resolves(
      fc.assert(
        fc.asyncProperty(
          fc.constantFrom('org-a', 'org-b', 'org-c'),
          filters,
          fc.integer({ min: 1, max: 100 }),
          async (orgId, filter, limit) => {
            const found: string[] = []
            let cursor: string | undefined
            do {
              const { data, nextCursor } = await page(orgId, filter, limit, cursor)
              found.push(...data.map(({ messageId }) => messageId))
              cursor = nextCursor ?? undefined
            } while (cursor !== undefined)
            const expected = matching(events, orgId, filter)
            return found.length === expected.length && found.every((id, at) => id === expected[at])
          }
        ),
        { numRuns: 60 }
      )
    )
  })

  await t.test('a filter without a match in many events ends its page early, and the pages come to ' +
    'an end', async (t) => {
    await addTracks(database, 30_000)
    const first = await page('org-many', { type: 'track' }, 100)
    t.same(first.data, [])
    t.type(first.nextCursor, 'string')
    let pages = 1
    for (let cursor = first.nextCursor; cursor !== null; pages++) {
      cursor = (await page('org-many', { type: 'track' }, 100, cursor)).nextCursor
    }
    t.ok(pages > 2 && pages < 20, `${pages} pages`)
    const nothing = [['org-many', { type: 'alias' }], ['org-many', { sourceId: 'none' }], ['org-many', {
      from: NOW - 40 * DAY,
      to: NOW - 30 * DAY
    }], ['org-a', { sourceId: 'many' }]] as const
    for (const [orgId, filter] of nothing) {
      // On a busy machine the time limit of a page can end before all days are scanned.
      let cursor: string | null | undefined
      let asked = 0
      do {
        const { data, nextCursor } = await page(orgId, filter, 100, cursor ?? undefined)
        t.same(data, [])
        cursor = nextCursor
        asked++
      } while (cursor !== null && asked < 10)
      t.equal(cursor, null, `an index ends the list after ${asked} pages`)
    }
  })

  await t.test('no statement runs for a client that has disconnected', async (t) => {
    counted.statements = 0
    t.same((await sink.list('org-many', { type: 'track' }, { limit: 100, signal: AbortSignal.abort() })).data, [])
    t.equal(counted.statements, 0)
    const leaving = new AbortController()
    const list = sink.list('org-many', { type: 'track' }, { limit: 100, signal: leaving.signal })
    while (counted.statements === 0) await sleep(1)
    leaving.abort()
    await list
    t.equal(counted.statements, 1, 'no statement follows the running statement')
  })
}

t.test('a list on the embedded database costs few statements', async (t) => {
  await costsLittle(t, createPglitePool(await startPgliteThread()))
})

t.test('a list on PostgreSQL costs few statements', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const pool = new pg.Pool({ connectionString: server.url })
  await costsLittle(t, pool as unknown as PostgresPoolSlice)
})

t.test('on PostgreSQL the running statements are cancelled and no statement follows when ' +
  'the client disconnects', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const database = await openDatabase({ url: server.url })
  t.teardown(() => database.close())
  const sink = await sqlSink(database)
  const running = async () =>
    (await sql`
    select 1 from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query like '%scanned_rows%'`
      .execute(database.db)).rows.length
  await database.db.transaction().execute(async (other) => {
    await sql`lock table events in access exclusive mode`.execute(other)
    const leaving = new AbortController()
    const lists = Array.from({ length: 5 }, () => sink.list('org-a', {}, { limit: 10, signal: leaving.signal }))
    while (await running() < 2) await sleep(10)
    t.equal(await running(), 2, 'two lists run at a time, and the others wait')
    leaving.abort()
    t.same((await Promise.all(lists)).map(({ data }) => data), [[], [], [], [], []])
    // PostgreSQL cancels a statement soon after it is told to.
    while (await running() > 0) await sleep(10)
    await sleep(100)
    t.equal(await running(), 0, 'no other statement has started')
  })
})
