import type { PostgresPoolSlice } from './postgres/pool-slice.js'

// Covers all small tables. Checking a larger table would slow down the start; its damage shows when it is read. Indexes
// do not count: reading the sizes of their files takes longer than reading the tables of a small database.
const MAX_BYTES = 32 * 1024 * 1024

/**
 * Reads every row of the tables, smallest first, up to 32 MB of rows. PostgreSQL starts on damaged tables
 * without an error and treats a truncated table as a small one; checksums and an index scan detect both.
 *
 * @throws an Error that names the table
 */
export async function verifyTables (pool: PostgresPoolSlice): Promise<void> {
  const client = await pool.connect()
  try {
    const { rows } = await client.query(TABLES, [])
    // Forces scans of the primary key, which finds rows that are missing in the table.
    await client.query(
      'begin; set local enable_seqscan = off; set local enable_bitmapscan = off; set local enable_sort = off',
      []
    )
    let bytesLeft = MAX_BYTES
    for (const { name, key, size } of rows as Array<{ name: string, key: string | null, size: string }>) {
      bytesLeft -= Number(size)
      if (bytesLeft < 0) break
      // Converts the whole row to a string, which also reads values stored outside the table.
      const source = `select t.*::text as whole from ${name} t${key === null ? '' : ` order by ${key}`}`
      await client.query(`select max(length(whole)) from (${source}) rows`, []).catch((cause: Error) => {
        throw new Error(`The table ${name} is damaged: ${cause.message}`, { cause })
      })
    }
    await client.query('commit', [])
  } finally {
    client.release()
  }
}

const TABLES = `
  select format('%I', c.relname) as name,
    pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) as size,
    (select string_agg(format('%I', a.attname), ', ' order by array_position(i.indkey::int2[], a.attnum))
      from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
      where i.indrelid = c.oid and i.indisprimary) as key
  from pg_class c
  where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
  order by 2`
