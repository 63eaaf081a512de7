import type { Expression, Kysely, RawBuilder, Sql } from 'kysely'

import type { DatabaseSchema } from '../schema.js'

/** A query that goes through rows by an index, newest first, and what to show of them. */
export interface ListScan {
  /** The rows, `slice` at most, by `time` and `seq`, descending: the order that its index has. */
  rows: Expression<unknown>
  /** How many rows `rows` goes through. */
  slice: number
  /** The column of the time. */
  time: string
  /** Which of the rows the list shows. */
  shown: RawBuilder<unknown>
  /** How many of those are wanted. */
  wanted: number
  /** The columns to read of these. */
  columns: readonly string[]
  /** Columns as JSON text that may be long: `null` once the rows before have `bytes` bytes of it. */
  texts: readonly string[]
  bytes: number
}

export type Scanned<Row> = Row & {
  shown: boolean
  /** The number of the row among all that were gone through, from 1. */
  place: string
  /** Bytes of text in it. */
  size: number
  /** Whether its texts were read. */
  fits: boolean
}

/** The rows that are shown, and the last of a whole slice even if it is not, so that its place is known. */
export async function scanList<Row> (sql: Sql, db: Kysely<DatabaseSchema>, scan: ListScan): Promise<Array<Scanned<Row>>> {
  const { rows, slice, time, shown, wanted, columns, texts, bytes } = scan
  const order = sql`order by ${sql.ref(time)} desc, seq desc`
  const size = sql.join(texts.map((name) => sql`coalesce(octet_length(${sql.ref(name)}::text), 0)`), sql` + `)
  const read = [...columns.map((name) => sql.ref(name)), ...texts.map((name) => sql`case when fits then ${sql.ref(name)}::text end as ${sql.ref(name)}`)]
  const { rows: scanned } = await sql<Scanned<Row>>`
    select ${sql.join(read)}, shown, place, size, fits from (
      select *, coalesce(sum(size) over (${order} rows between unbounded preceding and 1 preceding), 0) < ${sql.lit(bytes)} as fits from (
        select *, case when shown then ${size} else 0 end as size from (
          select *, ${shown} as shown, row_number() over (${order}) as place from (${rows}) gone_through
        ) numbered where shown or place = ${sql.lit(slice)} ${order} limit ${sql.lit(wanted)}
      ) measured
    ) fitting ${order}`.execute(db)
  return scanned
}
