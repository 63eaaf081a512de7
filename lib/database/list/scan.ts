import type { Expression, Kysely, RawBuilder, Sql } from 'kysely'

import type { DatabaseSchema } from '../schema.js'

/** A query that scans rows by an index, newest first, and filters them. */
export interface ListScan {
  /** The rows to scan, at most `slice`, in the order of their index: by `time` and `seq`, descending. */
  rows: Expression<unknown>
  /** Maximum number of rows that `rows` scans. */
  scanLimit: number
  /** The name of the time column. */
  time: string
  /** The filter: a condition that is true for rows of the list. */
  filter: RawBuilder<unknown>
  /** Maximum number of rows to return. */
  limit: number
  /** The columns to return. */
  columns: readonly string[]
  /** JSON columns to return. They are `null` once the rows before contain `maxBytes` bytes of JSON. */
  jsonColumns: readonly string[]
  maxBytes: number
}

export type ScannedRow<Row> = Row & {
  shown: boolean
  /** The row number among the scanned rows, from 1. */
  place: string
  /** Bytes of JSON in the row. */
  size: number
  /** Whether the JSON columns were read. */
  fits: boolean
}

/** Returns the matching rows, and the last row of a full slice even without a match, so that its position is known. */
export async function scanList<Row> (
  sql: Sql,
  db: Kysely<DatabaseSchema>,
  scan: ListScan
): Promise<Array<ScannedRow<Row>>> {
  const { rows, scanLimit, time, filter, limit, columns, jsonColumns, maxBytes } = scan
  const order = sql`order by ${sql.ref(time)} desc, seq desc`
  const size = sql.join(jsonColumns.map((name) => sql`coalesce(octet_length(${sql.ref(name)}::text), 0)`), sql` + `)
  const read = [...columns.map((name) => sql.ref(name)),
    ...jsonColumns.map((name) => sql`case when fits then ${sql.ref(name)}::text end as ${sql.ref(name)}`)]
  const { rows: scanned } = await sql<ScannedRow<Row>>`
    select ${sql.join(read)}, shown, place, size, fits from (
      select *, coalesce(sum(size) over (${order} rows between unbounded preceding and 1 preceding), 0) < ${
    sql.lit(maxBytes)
  } as fits from (
        select *, case when shown then ${size} else 0 end as size from (
          select *, ${filter} as shown, row_number() over (${order}) as place from (${rows}) scanned_rows
        ) numbered where shown or place = ${sql.lit(scanLimit)} ${order} limit ${sql.lit(limit)}
      ) measured
    ) fitting ${order}`.execute(db)
  return scanned
}
