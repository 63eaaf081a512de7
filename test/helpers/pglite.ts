import t from 'tap'
import { sql } from 'kysely'

import { openDatabase } from '../../lib/database/open-database.js'
import type { Database } from '../../lib/database/open-database.js'

let opened: Promise<Database> | undefined

/**
 * A migrated database in memory with empty tables. One instance (two seconds to make) serves the whole test file:
 * call it at the
 * start of every test that needs it, and do not run such tests of one file at the same time.
 */
export async function emptyDatabase (): Promise<Database> {
  if (opened === undefined) {
    opened = openDatabase({ memory: true })
    t.teardown(async () => await (await opened)?.close())
  }
  const database = await opened
  await truncateAll(database)
  return database
}

/**
 * Empties every table but those that record what the migrations did. Those without rows are left alone: each that is
 * truncated costs files.
 */
export async function truncateAll ({ db }: Database): Promise<void> {
  const { rows: tables } = await sql<{ name: string }>`
    select relname as name from pg_class
    where relkind = 'r' and relnamespace = current_schema()::regnamespace and relname not like 'gatehouse_migration%'
      and relname <> 'event_keys'`
    .execute(db)
  if (tables.length === 0) return
  const filled = tables.map(({ name }) =>
    sql`select ${name}::text as name where exists (select from ${sql.table(name)})`
  )
  const { rows } = await sql<{ name: string }>`${sql.join(filled, sql` union all `)}`.execute(db)
  if (rows.length === 0) return
  await sql`truncate ${sql.join(rows.map(({ name }) => sql.table(name)))} restart identity cascade`.execute(db)
}
