import { setTimeout as sleep } from 'node:timers/promises'

import { sql } from 'kysely'
import t from 'tap'
import type { Test } from 'tap'

import { migrate } from '../../../lib/database/migrate.js'
import { migrations } from '../../../lib/database/migrations/index.js'
import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import { sqlSink } from '../../../plugins/event-sink/sql/index.js'
import type { EventFilter, ReadableEventSink } from '../../../contracts/event-sink.js'
import { anEvent } from '../../../conformance/event-sink/index.js'
import { privatePostgres } from '../../helpers/postgres.js'

const NAME = '015-find-events'
const before = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < NAME))
const HOUR = 60 * 60 * 1000

/** Adds events as the previous version stored them, one a second until now; each user has one of 100 events. */
async function addOld ({ patient }: Database, count: number): Promise<void> {
  await sql`
    insert into events (org_id, source_id, message_id, type, auth_method, received_at, timestamp, ip, payload, additions)
    select 'org-a', 's', 'old-' || n, 'track', 'key', at, at, '', format('{"userId":"u%s","event":"\\u0000%s"}', n % 100, n)::json, '{}'
    from generate_series(1, ${sql.lit(count)}) n,
      lateral (select date_trunc('milliseconds', now()) - n * interval '1 second' as at) t`.execute(patient)
}

async function all (sink: ReadableEventSink, filter: EventFilter): Promise<string[]> {
  const found: string[] = []
  let cursor: string | undefined
  do {
    const page = await sink.list('org-a', filter, { limit: 100, cursor })
    found.push(...page.data.map(({ messageId }) => messageId))
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return found
}

async function state ({ db }: Database) {
  const { rows: [key] } = await sql<{ count: string }>`
    select count(*) from pg_constraint where conrelid = 'events'::regclass and contype = 'p'`.execute(db)
  const { rows } = await sql<{ missing: string }>`
    select c.relname as missing from pg_inherits join pg_class c on c.oid = inhrelid
    where inhparent = 'events'::regclass and not exists (
      select from pg_index join pg_class i on i.oid = indexrelid
      where indrelid = c.oid and i.relname = c.relname || '_find' and indisvalid)`.execute(db)
  return { primaryKeys: Number(key?.count), missing: rows.map(({ missing }) => missing) }
}

async function findsOldEvents (t: Test, database: Database, count: number): Promise<void> {
  await addOld(database, count)
  t.ok((await migrate(database.patient)).includes(NAME))
  const upgraded = await state(database)
  t.equal(upgraded.primaryKeys, 1, 'the primary key stays until the other indexes exist')
  t.ok(upgraded.missing.length > 0)

  const sink = await sqlSink(database)
  const fresh = anEvent({ receivedAt: Date.now(), payload: '{"userId":"u7","event":"fresh"}' })
  const later = anEvent({ receivedAt: Date.now() + 2 * HOUR, payload: '{"userId":"u7","event":"later"}' })
  await sink.write([fresh, later])
  const expected = [later.messageId, fresh.messageId,
    ...Array.from({ length: count }, (_, n) => n + 1).filter((n) => n % 100 === 7).map((n) => `old-${n}`)]
  const check = async (when: string) => {
    t.same(await all(sink, { userId: 'u7' }), expected, when)
    t.same(await all(sink, { event: '\u00009' }), ['old-9'])
    t.same(await all(sink, { event: 'later' }), [later.messageId])
    t.same(await all(sink, { messageId: 'old-8', timestampFrom: Date.now() - HOUR }), ['old-8'])
  }
  await check('before the indexes exist')
  await sink.sweep?.()
  t.same(await state(database), { primaryKeys: 0, missing: [] })
  await check('when the indexes exist')
  await sink.sweep?.()
  t.strictSame(await migrate(database.patient), [])
}

t.test('events from before the migration are found while and after they are indexed, on the embedded ' +
  'database', async (t) => {
  const database = await openDatabase({ memory: true, migrations: before })
  t.teardown(() => database.close())
  await findsOldEvents(t, database, 1_000)
})

t.test('events from before the migration are found while and after they are indexed, on PostgreSQL', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const database = await openDatabase({ url: server.url, migrations: before })
  t.teardown(() => database.close())
  await findsOldEvents(t, database, 1_000)
})

t.test('events are stored while a large partition is indexed, and an index that was left unfinished is built ' +
  'again', async (t) => {
  const server = await privatePostgres(t)
  if (server === null) return
  const database = await openDatabase({ url: server.url, migrations: before })
  t.teardown(() => database.close())
  await addOld(database, 400_000)
  await migrate(database.patient)
  const { missing: [partition = ''] } = await state(database)
  const index = `${partition}_find`
  await sql`create index ${sql.id(index)} on ${sql.id(partition)} (seq)`.execute(database.patient)
  await sql`update pg_index set indisvalid = false where indexrelid = ${index}::regclass`.execute(database.patient)

  const sink = await sqlSink(database)
  const other = await openDatabase({ url: server.url })
  t.teardown(() => other.close())
  const second = await sqlSink(other)
  const sweeping = Promise.all([sink.sweep?.(), second.sweep?.()]).then(() => 'swept')
  let slowest = 0
  let writes = 0
  while (await Promise.race([sweeping, sleep(5, 'sweeping')]) !== 'swept') {
    const start = performance.now()
    await sink.write([anEvent({ receivedAt: Date.now() })])
    slowest = Math.max(slowest, performance.now() - start)
    writes++
  }
  t.ok(writes > 10, `${writes} writes`)
  t.ok(slowest < 2_000, `the slowest write took ${Math.round(slowest)} ms`)
  await sink.sweep?.()
  t.same(await state(database), { primaryKeys: 0, missing: [] })
  const { rows: [definition] } = await sql<{ text: string }>`
    select pg_get_indexdef(${index}::regclass) as text`.execute(database.db)
  t.match(definition?.text, 'user_key')
})
