import type { Kysely } from 'kysely'

import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { toDate } from './times.js'

/** Maximum number of entries that one statement deletes. */
const SLICE = 2_000

/**
 * Deletes the audit entries from before a time, epoch milliseconds, in slices. Finds the oldest entry of each
 * organisation by the index of lists, backwards. An index by time alone would make appends slower, and the planner used
 * it for lists of a rare action, which then read every entry.
 */
export async function expireAudit (db: Kysely<DatabaseSchema>, before: number): Promise<void> {
  const { sql } = await import('kysely')
  const at = toDate(before)
  let deleted: number
  do {
    const { numAffectedRows } = await sql`
      with recursive oldest as (
        (select org_id, timestamp from audit_log order by org_id desc, timestamp, seq limit 1)
        union all
        select another.org_id, another.timestamp from oldest, lateral (
          select org_id, timestamp from audit_log where org_id < oldest.org_id order by org_id desc, timestamp, seq limit 1
        ) another
      )
      delete from audit_log where ctid = any (array(
        select due.id from oldest, lateral (
          select ctid as id from audit_log where org_id = oldest.org_id and timestamp < ${at}
          order by timestamp, seq limit ${sql.lit(SLICE)}
        ) due
        where oldest.timestamp < ${at} limit ${sql.lit(SLICE)}
      ))`.execute(db)
    deleted = Number(numAffectedRows)
  } while (deleted > 0)
}
