import type { Kysely } from 'kysely'

import type { Count } from '../../../contracts/counts.js'
import { toColumnText } from '../column-text.js'
import type { DatabaseSchema } from '../schema.js'
import { subjectOf } from './subject.js'

/** Adds counts in one statement. The rows are appended, so that concurrent callers do not wait for each other. */
export async function appendCounts (db: Kysely<DatabaseSchema>, counts: readonly Count[]): Promise<void> {
  if (counts.length === 0) return
  const { sql } = await import('kysely')
  const column = <Value>(read: (count: Count) => Value) => counts.map(read)
  await sql`insert into count_deltas (org_id, subject, outcome, hour, events, bytes, last_at)
    select * from unnest(
      ${column(({ orgId }) => toColumnText(orgId))}::text[],
      ${column(({ kind, id }) => subjectOf(kind, id))}::text[],
      ${column(({ outcome }) => toColumnText(outcome))}::text[],
      ${column(({ hour }) => new Date(hour))}::timestamptz[],
      ${column(({ events }) => events)}::bigint[],
      ${column(({ bytes }) => bytes)}::bigint[],
      ${column(({ lastAt }) => new Date(lastAt))}::timestamptz[]
    )`.execute(db)
}
