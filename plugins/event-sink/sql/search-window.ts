import type { Kysely } from 'kysely'

import type { Position } from '../../../lib/database/list/cursor.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { importOptional } from '../../../lib/optional-package.js'
import type { EventFilter } from '../../../contracts/event-sink.js'
import type { Span } from './list-scan.js'

/** Maximum number of index entries that a search reads with one statement: some milliseconds. */
const WINDOW_EVENTS = 100_000
/** Lengths of windows, milliseconds: 1 second, doubled up to 48 days. */
const LENGTHS = Array.from({ length: 23 }, (_, power) => 1_000 * 2 ** power)

export type SearchWindow = (
  db: Kysely<DatabaseSchema>,
  orgId: string,
  filter: EventFilter,
  span: Span,
  before: Position | null
) => Promise<Span | 'empty'>

/**
 * Creates the function that returns the newest part of a span that holds a limited number of events, or `empty`. The
 * sequence numbers at both ends of a window give an upper bound of the number of its events; two look-ups in the index
 * read them, so a search can read the index in slices of known size although few of its entries match.
 */
export async function searchWindows (): Promise<SearchWindow> {
  const { sql } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')

  return async function searchWindow (db, orgId, { from = -Infinity, to = Infinity }, span, before) {
    const first = Math.max(span.since, from)
    const last = Math.min(to, before?.timestamp ?? Infinity)
    const own = sql`org_id = ${orgId}${first === -Infinity ? sql`` : sql` and received_at >= ${new Date(first)}`}`
    const upper = sql`${last === Infinity ? sql`` : sql` and received_at <= ${new Date(last)}`}${
      span.until === Infinity ? sql`` : sql` and received_at < ${new Date(span.until)}`}${
      before === null ? sql`` : sql` and (received_at, seq) < (${new Date(before.timestamp)}, ${before.sequence})`}`
    const { rows: [row] } = await sql<{ newest: Date, length: number | null }>`
      with newest as materialized (
        select received_at, seq from events where ${own}${upper} order by received_at desc, seq desc limit 1
      )
      select newest.received_at as newest, (
        select max(length) from unnest(${sql.lit(`{${LENGTHS.join(',')}}`)}::float8[]) as length, lateral (
          select seq from events
          where ${own} and received_at >= newest.received_at - length * interval '1 millisecond'
            and received_at <= newest.received_at
          order by received_at, seq limit 1
        ) oldest
        where newest.seq - oldest.seq < ${sql.lit(WINDOW_EVENTS)}
      ) as length from newest`.execute(db)
    if (row === undefined) return 'empty'
    const since = row.newest.getTime() - (row.length ?? LENGTHS[0] ?? 0)
    return { since: Math.max(since, span.since), until: span.until }
  }
}
