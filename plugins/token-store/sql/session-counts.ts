import type { Kysely } from 'kysely'

import { HOUR, hourOf } from '../../../lib/counts/count-table.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { toDate } from './times.js'

/** Maximum number of rows that one statement folds. */
const SLICE = 10_000

/**
 * Returns the number of live sessions of an organisation: from the counts by hour, and from the sessions that end in
 * the current hour. Members who are disabled have none, as disabling deletes them. One statement, so that a concurrent
 * `foldSessionCounts` hides and doubles nothing.
 */
export async function countSessions (db: Kysely<DatabaseSchema>, orgId: string, at: number): Promise<number> {
  const { sql } = await import('kysely')
  const next = toDate(hourOf(at) + HOUR)
  const { rows } = await sql<{ count: number }>`
    select (select count(*) from sessions where org_id = ${orgId} and ends_at > ${toDate(at)} and ends_at < ${next})
      + (select coalesce(sum(sessions), 0) from session_counts where org_id = ${orgId} and hour >= ${next})
      as count`.execute(db)
  return Number(rows[0]?.count)
}

/**
 * Replaces the rows of one organisation and hour by their sum, in slices, and deletes those of hours that have passed.
 */
export async function foldSessionCounts (db: Kysely<DatabaseSchema>, at: number): Promise<void> {
  const { sql } = await import('kysely')
  // The extra hour is for the clocks of other instances.
  await sql`delete from session_counts where hour < ${toDate(hourOf(at) - HOUR)}`.execute(db)
  let taken: number
  do {
    const { rows } = await sql<{ taken: number }>`
      with taken as (
        delete from session_counts where ctid = any (array(
          select counts.ctid from session_counts counts
            join (select org_id, hour from session_counts group by 1, 2 having count(*) > 1) many using (org_id, hour)
          limit ${sql.lit(SLICE)} for update of counts skip locked
        )) returning org_id, hour, sessions
      ), folded as (
        insert into session_counts (org_id, hour, sessions)
        select org_id, hour, sum(sessions) from taken group by 1, 2 having sum(sessions) <> 0
      )
      select count(*)::int as taken from taken`.execute(db)
    taken = rows[0]?.taken ?? 0
  } while (taken === SLICE)
}
