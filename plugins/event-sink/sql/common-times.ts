import type { Kysely } from 'kysely'

import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { importOptional } from '../../../lib/optional-package.js'
import type { EventFilter } from '../../../contracts/event-sink.js'
import type { Span } from './list-scan.js'
import { LOOKUPS } from './lookup-index.js'

/** Maximum number of events that a look-up by time sorts: a few milliseconds. */
const MAX_SORTED = 2_000

export type IsCommonTime = (
  db: Kysely<DatabaseSchema>,
  orgId: string,
  filter: EventFilter,
  span: Span
) => Promise<boolean>

/**
 * Creates the function that returns whether a look-up by the time of the filter would find more events of a span than
 * it should sort. Reads no more of them than that.
 */
export async function commonTimes (): Promise<IsCommonTime> {
  const { sql } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')

  return async function isCommonTime (db, orgId, { timestampFrom, timestampTo, from = -Infinity, to }, span) {
    const since = Math.max(span.since, from)
    const conditions = [
      sql`${sql.raw(LOOKUPS.timestamp.expression)} = hashtextextended(${orgId}::text, 0)`,
      ...timestampFrom === undefined ? [] : [sql`"timestamp" >= ${new Date(timestampFrom)}`],
      ...timestampTo === undefined ? [] : [sql`"timestamp" <= ${new Date(timestampTo)}`],
      ...since === -Infinity ? [] : [sql`received_at >= ${new Date(since)}`],
      ...to === undefined ? [] : [sql`received_at <= ${new Date(to)}`],
      ...span.until === Infinity ? [] : [sql`received_at < ${new Date(span.until)}`]
    ]
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from (
      select from events where ${sql.join(conditions, sql` and `)} limit ${sql.lit(MAX_SORTED + 1)}
    ) some_events`.execute(db)
    return (rows[0]?.count ?? 0) > MAX_SORTED
  }
}
