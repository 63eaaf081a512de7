import { sql } from 'kysely'
import t from 'tap'

import { openDatabase } from '../../../lib/database/open-database.js'
import type { Database } from '../../../lib/database/open-database.js'
import { sqlStore } from '../../../plugins/token-store/sql/index.js'
import { aKey, aSource } from '../../../conformance/token-store/fixtures.js'
import { privatePostgres } from '../../helpers/postgres.js'

const postgres = await privatePostgres(t)
if (postgres === null) process.exit(0)
const { url, ownServer } = postgres
const MAX = 4

async function setting (db: Database['db'], name: string): Promise<string | undefined> {
  return (await sql<{ value: string }>`select current_setting(${name}) as value`.execute(db)).rows[0]?.value
}

/** The URL with additional parameters. */
function saying (parameters: Record<string, string>): string {
  const other = new URL(url)
  for (const [name, value] of Object.entries(parameters)) other.searchParams.set(name, value)
  return other.href
}

t.test('while PostgreSQL hangs all calls are refused, with or without a connection, and afterwards they work', {
  skip: !ownServer
}, async (t) => {
  const database = await openDatabase({ url, maxConnections: MAX })
  t.teardown(() => database.close())
  const store = sqlStore(database, { secretsKeys: ['a key that seals what this test file stores'], cacheTtl: 0 })
  const source = await store.sources.create(aSource())
  // Some calls have a connection, some create a connection, and most wait for a connection.
  const calls: ReadonlyArray<() => Promise<unknown>> = [
    () => store.sources.update('org-a', source.id, { name: 'In a transaction' }),
    () => store.sources.list('org-a', { limit: 10 }),
    () => store.audit.list('org-a', {}, { limit: 10 }),
    ...Array.from({ length: 20 }, () => async () => await store.sources.resolve(aKey()))
  ]
  await Promise.all([calls[0]?.(), calls[1]?.()])

  await postgres.pause()
  // In the second round all connections have been closed.
  for (let round = 0; round < 2; round++) {
    await Promise.all([
      ...calls.map((call) => t.rejects(call(), { code: 'UNAVAILABLE', statusCode: 503 })),
      t.rejects(database.ready(), /within 2000 ms/)
    ])
  }
  await postgres.resume()
  while ((await Promise.allSettled(calls.map((call) => call()))).some(({ status }) => status === 'rejected'));
  const { rows: [left] } = await sql<
    { n: number }
  >`select count(*)::int as n from pg_stat_activity where application_name = 'fastify-gatehouse'`.execute(database.db)
  t.ok((left?.n ?? Infinity) <= MAX + 2, `${left?.n} connections are left`)
})

t.test('the server gets the time limits too, except for clean-up, and the URL takes precedence', async (t) => {
  const database = await openDatabase({ url, queryTimeout: 2_000 })
  t.teardown(() => database.close())
  t.equal(await setting(database.db, 'statement_timeout'), '1800ms')
  t.equal(await setting(database.patient, 'statement_timeout'), '0')
  t.equal(await setting(database.patient, 'idle_in_transaction_session_timeout'), '10s')
  const own = await openDatabase({ url: saying({ statement_timeout: '700' }) })
  t.teardown(() => own.close())
  t.equal(await setting(own.db, 'statement_timeout'), '700ms')
  for (const queryTimeout of [0, -1, 1.5, NaN, Infinity]) {
    await t.rejects(openDatabase({ url, queryTimeout }), { code: 'INVALID_OPTIONS', message: /queryTimeout/ })
  }
})

t.test('a statement beyond queryTimeout is cancelled, except in a clean-up', async (t) => {
  const database = await openDatabase({ url, queryTimeout: 300 })
  t.teardown(() => database.close())
  await t.rejects(sql`select pg_sleep(1)`.execute(database.db), { code: '57014' })
  await t.resolves(sql`select pg_sleep(1)`.execute(database.patient))
})

t.test('a transaction has one time limit for all its statements, and its locks are released', async (t) => {
  const database = await openDatabase({ url, queryTimeout: 1_000 })
  t.teardown(() => database.close())
  // Each statement ends long before its own limit.
  await t.rejects(
    database.db.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(42)`.execute(tx)
      for (;;) await sql`select pg_sleep(0.05)`.execute(tx)
    })
  )
  await t.resolves(sql`select pg_advisory_lock(42), pg_advisory_unlock(42)`.execute(database.db))
})

t.test('the locks of a silent client are released', async (t) => {
  const database = await openDatabase({ url: saying({ idle_in_transaction_session_timeout: '500' }) })
  t.teardown(() => database.close())
  await t.rejects(
    database.patient.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(43)`.execute(tx)
      await sql`select pg_advisory_lock(43), pg_advisory_unlock(43)`.execute(database.db)
      await sql`select 1`.execute(tx)
    })
  )
})
