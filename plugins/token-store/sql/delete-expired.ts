import type { Kysely, RawBuilder } from 'kysely'

import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { toDate } from './times.js'

/** Maximum number of rows that one statement deletes: some milliseconds, so that other statements do not wait long. */
const SLICE = 2_000

interface Expired<Table extends keyof DatabaseSchema> {
  table: Table
  /** The time column, which has an index. */
  time: keyof DatabaseSchema[Table] & string
  /** Deletes rows with this time or an earlier one, epoch milliseconds. */
  until: number
  /** A further condition. Default: none. */
  condition?: RawBuilder<boolean>
}

/** Deletes old rows in slices, the oldest first. Leaves rows that another transaction has locked to the next sweep. */
export async function deleteExpired<Table extends keyof DatabaseSchema> (
  db: Kysely<DatabaseSchema>,
  { table, time, until, condition }: Expired<Table>
): Promise<void> {
  const { sql } = await import('kysely')
  const [from, column] = [sql.table(table), sql.ref(time)]
  let deleted: number
  do {
    const { numAffectedRows } = await sql`
      delete from ${from} where ctid = any (array(
        select ctid from ${from} where ${column} <= ${toDate(until)}${condition === undefined ? sql`` : sql` and ${condition}`}
        order by ${column} limit ${sql.lit(SLICE)} for update skip locked
      ))`.execute(db)
    deleted = Number(numAffectedRows)
  } while (deleted === SLICE)
}
