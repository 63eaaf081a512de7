// Fills a migrated database.
import { sql } from 'kysely'

import { openDatabase } from '../../lib/database/open-database.js'
import { fillEvents } from './events.js'
import { fillRows } from './rows.js'
import type { Sizes } from './sizes.js'

const GIGABYTE = 2 ** 30

/** `onStep` is called after each part. */
export async function fill (
  url: string,
  sizes: Sizes,
  secretsKey: string,
  onStep: (step: string, seconds: number) => void
): Promise<void> {
  const fast = new URL(url)
  fast.searchParams.set('options', `${fast.searchParams.get('options') ?? ''} -c synchronous_commit=off`.trim())
  const database = await openDatabase({ url: fast.href, queryTimeout: 600_000 })
  let last = performance.now()
  const done = (step: string) => {
    onStep(step, (performance.now() - last) / 1_000)
    last = performance.now()
  }
  try {
    for await (const step of fillRows(database, sizes, secretsKey)) done(step)
    await fillEvents(database, sizes)
    done('events')
    await sql`vacuum analyze`.execute(database.patient)
    done('vacuum and analyze')
  } finally {
    await database.close()
  }
}

/** Resolves with the size of the database in gigabytes, and its five largest tables. */
export async function sizeOf (url: string): Promise<{ total: number, tables: string }> {
  const database = await openDatabase({ url })
  try {
    const { rows } = await sql<{ name: string, size: string }>`
      select case when relname like 'events\_%' then 'events' else relname end as name,
        sum(pg_total_relation_size(oid)) as size
      from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace group by 1 order by 2 desc`
      .execute(database.patient)
    const gigabytes = rows.map(({ name, size }) => ({ name, size: Number(size) / GIGABYTE }))
    return {
      total: gigabytes.reduce((sum, { size }) => sum + size, 0),
      tables: gigabytes.slice(0, 5).map(({ name, size }) => `${name} ${size.toFixed(2)}`).join(', ')
    }
  } finally {
    await database.close()
  }
}
