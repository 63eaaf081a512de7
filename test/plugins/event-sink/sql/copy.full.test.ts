import { sql } from 'kysely'
import t from 'tap'

import { openDatabase } from '../../../../lib/database/open-database.js'
import type { Database } from '../../../../lib/database/open-database.js'
import type { AcceptedEvent } from '../../../../contracts/event-sink.js'
import { DEDUPLICATION_WINDOW } from '../../../../contracts/event-sink.js'
import { eventId, hexOfId } from '../../../../plugins/event-sink/event-id.js'
import { sqlSink } from '../../../../plugins/event-sink/sql/index.js'
import { listed } from '../../../../conformance/event-sink/fixtures.js'
import { anEvent } from '../../../../conformance/event-sink/index.js'
import { truncateAll } from '../../../helpers/pglite.js'
import { privatePostgres } from '../../../helpers/postgres.js'

const postgres = await privatePostgres(t)
if (postgres === null) process.exit(0)
const database = await openDatabase({ url: postgres.url })
t.teardown(() => database.close())

/** The same database, with the number of successful and refused copies. */
function counting (database: Database) {
  const copies = { done: 0, refused: 0 }
  const counted: Database = {
    ...database,
    async copy (parts) {
      try {
        await database.copy?.(parts)
        copies.done++
      } catch (error) {
        copies.refused++
        throw error
      }
    }
  }
  return { counted, copies }
}

async function idsOf (sink: Awaited<ReturnType<typeof sqlSink>>): Promise<string[]> {
  return (await listed(sink, 'org-a')).map(({ messageId }) => messageId).reverse()
}

t.beforeEach(() => truncateAll(database))

t.test('new events are copied, and an event that another instance has stored is left out', async (t) => {
  const [known, ...others] = [anEvent(), anEvent(), anEvent()] as const
  await (await sqlSink(database)).write([known])
  const { counted, copies } = counting(database)
  const sink = await sqlSink(counted)
  await sink.write([others[0], { ...known, payload: '{"event":"second"}' }, others[1], others[1]])
  t.same(copies, { done: 0, refused: 1 })
  t.same(await idsOf(sink), [known, ...others].map(({ messageId }) => messageId))
  t.same((await listed(sink, 'org-a')).at(-1), known)

  const next = anEvent()
  await sink.write([known, next, others[0]])
  t.same(copies, { done: 1, refused: 1 }, 'the ids are known without a query')
  t.equal((await idsOf(sink)).at(-1), next.messageId)
})

t.test('an event whose id was not swept yet is new after 24 hours', async (t) => {
  const event = anEvent()
  await (await sqlSink(database)).write([event])
  const sink = await sqlSink(database)
  const later = (milliseconds: number) => ({ ...event, receivedAt: event.receivedAt + milliseconds })
  await sink.write([later(DEDUPLICATION_WINDOW), anEvent()])
  t.equal((await idsOf(sink)).length, 3)
  await sink.write([later(2 * DEDUPLICATION_WINDOW - 1)])
  t.equal((await idsOf(sink)).length, 3, 'the window starts again')
})

t.test('three instances that write the same events at the same time in different orders store ' +
  'each event once', async (t) => {
  const sinks = await Promise.all([1, 2, 3].map(() => sqlSink(database)))
  for (let round = 0; round < 10; round++) {
    // UTF-16, UTF-8 and the collation of a locale sort these characters differently.
    const events = Array.from(
      { length: 60 },
      (_none, at) => anEvent({ messageId: `${['a', 'B', '🙂', '\uffee', 'é', '\\', ' '][at % 7]}-${round}-${at}` })
    )
    await Promise.all(
      sinks.map((sink, at) =>
        sink.write(at === 0 ? events : at === 1 ? [...events].reverse() : events.filter((_event, at) => at % 2 === 0))
      )
    )
  }
  const { rows } = await sql<
    { stored: number, different: number }
  >`select count(*)::int as stored, count(distinct message_id)::int as different from events`.execute(database.db)
  t.same(rows, [{ stored: 600, different: 600 }])
})

t.test('a statement stores the events if the COPY ends in a deadlock', async (t) => {
  const { counted, copies } = counting(database)
  let deadlock = true
  const sink = await sqlSink({
    ...counted,
    async copy (parts) {
      if (!deadlock) return await counted.copy?.(parts)
      deadlock = false
      throw Object.assign(new Error('deadlock detected'), { code: '40P01' })
    }
  })
  await sink.write([anEvent({ messageId: 'first' })])
  await sink.write([anEvent({ messageId: 'second' })])
  t.same(await idsOf(sink), ['first', 'second'])
  t.same(copies, { done: 1, refused: 0 })
})

t.test('a COPY and a statement lock ids in the same order, so that they do not deadlock', async (t) => {
  const [first, second] = [anEvent(), anEvent()].sort((one, other) => eventId(one) < eventId(other) ? -1 : 1) as [
    AcceptedEvent,
    AcceptedEvent
  ]
  for (const copy of [database.copy, null]) {
    await truncateAll(database)
    const sink = await sqlSink({ ...database, copy })
    const write = await database.db.transaction().execute(async (holder) => {
      await insertId(holder, first)
      const write = sink.write([second, first])
      await blocked()
      await database.db.transaction().execute(async (other) => {
        await sql`set local lock_timeout = 2000`.execute(other)
        await t.resolves(insertId(other, second), 'the later id is not locked')
      })
      return [write]
    })
    await Promise.all(write)
  }

  async function insertId (db: Pick<Database['db'], 'insertInto'>, event: AcceptedEvent): Promise<void> {
    await db.insertInto('event_ids').values({ id: hexOfId(eventId(event)), seen_at: new Date(0) }).execute()
  }

  /** Resolves once a transaction waits for an id that another transaction has locked. */
  async function blocked (): Promise<void> {
    for (;;) {
      const { rows } = await sql<
        { n: number }
      >`select count(*)::int as n from pg_locks where not granted and locktype = 'transactionid'`.execute(database.db)
      if (rows[0]?.n === 1) return
    }
  }
})

t.test('an event that the database refuses does not fail the other events, and its id is not known', async (t) => {
  const { counted } = counting(database)
  const sink = await sqlSink(counted)
  const bad = anEvent({ payload: 'not json' })
  const good = Array.from({ length: 20 }, () => anEvent())
  const first = sink.write([anEvent()])
  const outcomes = await Promise.allSettled(
    [...good.slice(0, 7), bad, ...good.slice(7)].map((event) => sink.write([event]))
  )
  await first
  t.same(outcomes.flatMap((outcome, at) => outcome.status === 'rejected' ? [[at, outcome.reason.code]] : []), [[7,
    'INTERNAL_ERROR']])
  t.equal((await idsOf(sink)).length, 21)
  await sink.write([{ ...bad, payload: '{}' }])
  t.equal((await idsOf(sink)).length, 22)
})

t.test('events of a failed write are not known, and their repeat is stored', async (t) => {
  const sink = await sqlSink(database)
  const events = [anEvent(), anEvent()]
  await sql`alter table events rename to away`.execute(database.db)
  await t.rejects(sink.write(events), { code: 'UNAVAILABLE', retryAfterSeconds: 1 })
  await sql`alter table away rename to events`.execute(database.db)
  t.same((await sql`select * from event_ids`.execute(database.db)).rows, [], 'no id without its event')
  await sink.write(events)
  t.same(await idsOf(sink), events.map(({ messageId }) => messageId))
})
