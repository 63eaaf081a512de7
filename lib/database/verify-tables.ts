import type { PostgresPoolSlice } from './postgres/pool-slice.js'

// Enough for all small tables; a larger one would make the start slow, and tells of its damage when it is read.
const BUDGET = 32 * 1024 * 1024

/**
 * Reads every row of the tables, smallest first, up to 32 MB with their indexes. PostgreSQL starts on a damaged table without a word,
 * and takes one that was cut short for a small one; its checksums and a walk along the primary key bring both to light.
 *
 * @throws an Error that names the table
 */
export async function verifyTables (pool: PostgresPoolSlice): Promise<void> {
  const client = await pool.connect()
  try {
    const { rows } = await client.query(TABLES, [])
    // Rows are to be found through the key, not by reading what is left of the table.
    await client.query('begin; set local enable_seqscan = off; set local enable_bitmapscan = off; set local enable_sort = off', [])
    let left = BUDGET
    for (const { name, key, size } of rows as Array<{ name: string, key: string | null, size: string }>) {
      left -= Number(size)
      if (left < 0) break
      // The whole row as text, so that values stored outside the table are read as well.
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
  select format('%I', c.relname) as name, pg_total_relation_size(c.oid) as size,
    (select string_agg(format('%I', a.attname), ', ' order by array_position(i.indkey::int2[], a.attnum))
      from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
      where i.indrelid = c.oid and i.indisprimary) as key
  from pg_class c
  where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
  order by 2`
