import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { openDatabase } from '../../../../lib/database/open-database.js'
import type { Database } from '../../../../lib/database/open-database.js'
import { DEDUPLICATION_WINDOW } from '../../../../contracts/event-sink.js'
import { sqlSink } from '../../../../plugins/event-sink/sql/index.js'
import { listed } from '../../../../conformance/event-sink/fixtures.js'
import { anEvent, eventSinkContract } from '../../../../conformance/event-sink/index.js'
import { sharedEventSinkContract } from '../../../../conformance/event-sink/instances.js'
import { emptyDatabase, truncateAll } from '../../../helpers/pglite.js'
import { privatePostgres } from '../../../helpers/postgres.js'

t.test('the SQL sink keeps the contract on PGlite', async (t) => {
  await eventSinkContract(t, async ({ now }) => sqlSink(await emptyDatabase(), { now }))
})

t.test('the SQL sink keeps the contract on PostgreSQL', async (t) => {
  const postgres = await privatePostgres(t)
  if (postgres === null) return
  const database = await openDatabase({ url: postgres.url })
  t.teardown(() => database.close())
  await eventSinkContract(t, async ({ now }) => {
    await truncateAll(database)
    return await sqlSink(database, { now })
  })
  await sharedEventSinkContract(t, async () => {
    await truncateAll(database)
    return [await sqlSink(database), await sqlSink(database)]
  })
  await t.test('ids are swept on PostgreSQL', (t) => sweepsIds(t, database))
  await t.test('a repeat does not extend the time of its id on PostgreSQL', (t) => forgetsInTime(t, database))
  await t.test('an instance that has not seen an event detects its repeat on PostgreSQL', (t) =>
    tellsRepeats(t, database))
  await t.test('old events are deleted on PostgreSQL', (t) => expiresEvents(t, database))
})

t.test('ids are swept on PGlite', async (t) => {
  await sweepsIds(t, await emptyDatabase())
})

t.test('a repeat does not extend the time of its id on PGlite', async (t) => {
  await forgetsInTime(t, await emptyDatabase())
})

t.test('an instance that has not seen an event detects its repeat on PGlite', async (t) => {
  await tellsRepeats(t, await emptyDatabase())
})

t.test('old events are deleted on PGlite', async (t) => {
  await expiresEvents(t, await emptyDatabase())
})

t.test('deleted events use no space on PGlite, which has no autovacuum', async (t) => {
  const database = await emptyDatabase()
  const sink = await sqlSink(database)
  const event = anEvent()
  await sink.write(Array.from({ length: 1_000 }, () => anEvent()))
  await sink.expire?.(event.receivedAt + 1)
  const { rows } = await sql<
    { bytes: string }
  >`select sum(pg_relation_size(relid))::text as bytes from pg_partition_tree('events')`.execute(database.db)
  t.same(rows, [{ bytes: '0' }])
})

async function forgetsInTime (t: Pick<Test, 'equal'>, database: Database): Promise<void> {
  await truncateAll(database)
  const event = anEvent()
  const later = (milliseconds: number) => ({ ...event, receivedAt: event.receivedAt + milliseconds })
  await (await sqlSink(database)).write([event])
  const sink = await sqlSink(database)
  const count = async () => (await listed(sink, 'org-a')).length
  await sink.write([later(DEDUPLICATION_WINDOW - 1)])
  t.equal(await count(), 1)
  await sink.write([later(DEDUPLICATION_WINDOW)])
  t.equal(await count(), 2)
  await sink.write([later(2 * DEDUPLICATION_WINDOW - 1)])
  t.equal(await count(), 2)
}

async function tellsRepeats (t: Pick<Test, 'same'>, database: Database): Promise<void> {
  const [one, other] = [await sqlSink(database), await sqlSink(database)]
  const first = anEvent({ repeat: false })
  await one.write([first])
  const [same, later, fresh] = [{ ...first }, { ...first, receivedAt: first.receivedAt + 1 },
    anEvent({ repeat: false })]
  await other.write([later, fresh])
  await other.write([same])
  t.same([first, later, fresh, same].map(({ repeat }) => repeat), [false, true, false, true])
}

async function expiresEvents (t: Pick<Test, 'equal'>, database: Database): Promise<void> {
  await truncateAll(database)
  const sink = await sqlSink(database, { maxPending: 100_000 })
  const count = async () =>
    Number(
      (await database.db.selectFrom('events').select(({ fn }) => fn.countAll().as('count')).executeTakeFirstOrThrow())
        .count
    )
  const start = Date.UTC(2026, 0, 15)
  // More events than one slice, of small and large organisations.
  for (let batch = 0; batch < 4; batch++) {
    await sink.write(
      Array.from({ length: 4_000 }, (_none, at) =>
        anEvent({ receivedAt: start + batch, orgId: at % 10 === 0 ? `org-${at % 70}` : 'org-a' }))
    )
  }
  const signal = AbortSignal.abort()
  await sink.expire?.(start + 3, signal)
  t.equal(await count(), 16_000, 'no slice starts after the signal')
  await sink.expire?.(start + 3)
  t.equal(await count(), 4_000)
  await sink.expire?.(start + 4)
  t.equal(await count(), 0)
}

async function sweepsIds (t: Pick<Test, 'equal' | 'same'>, database: Database): Promise<void> {
  await truncateAll(database)
  const start = Date.UTC(2026, 0, 15)
  const hour = 3_600_000
  let now = start
  const sink = await sqlSink(database, { now: () => now, maxPending: 100_000 })
  const count = async () =>
    Number(
      (await database.db.selectFrom('event_ids').select(({ fn }) => fn.countAll().as('count'))
        .executeTakeFirstOrThrow()).count
    )
  // More ids than one slice.
  for (let batch = 0; batch < 3; batch++) {
    await sink.write(Array.from({ length: 4_000 }, () => anEvent({ receivedAt: start })))
  }
  const late = anEvent({ receivedAt: start + 2 * hour })
  await sink.write([late])

  now = start + DEDUPLICATION_WINDOW + hour
  await sink.sweep?.()
  t.equal(await count(), 12_001, 'within the window and an hour')
  now++
  await Promise.all([sink.sweep?.(), sink.sweep?.()])
  t.equal(await count(), 1)
  await sink.write([{ ...late, receivedAt: late.receivedAt + DEDUPLICATION_WINDOW - 1 }])
  t.same(await listed(sink, 'org-a', { from: start + 1 }), [late], 'the id is still known')
}

t.test('an event that the database refuses does not fail the other events of its statement', async (t) => {
  const sink = await sqlSink(await emptyDatabase())
  const good = Array.from({ length: 5 }, () => anEvent())
  const first = sink.write([anEvent()])
  const outcomes = await Promise.allSettled([sink.write([anEvent({ payload: 'not json' })]), ...good.map((event) =>
    sink.write([event])
  )])
  await first
  t.same(outcomes.map(({ status }) => status), ['rejected', ...Array(5).fill('fulfilled')])
  t.equal((await listed(sink, 'org-a')).length, 6)
})

t.test('with a lost database writes, lists and ready() are UNAVAILABLE', async (t) => {
  const database = await openDatabase({ memory: true })
  const sink = await sqlSink(database)
  await database.close()
  await t.rejects(sink.write([anEvent()]), { code: 'UNAVAILABLE' })
  await t.rejects(sink.list('org-a', {}, { limit: 1 }), { code: 'UNAVAILABLE' })
  await t.rejects(sink.ready(), { code: 'UNAVAILABLE' })
})
