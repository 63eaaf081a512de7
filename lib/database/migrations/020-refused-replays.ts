import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const STATEMENTS = [
  `alter table refused_events
    add column truncated boolean not null default false,
    add column replay json,
    add column claim text collate "C",
    add column claimed_until timestamptz`,
  'create index refused_events_by_time on refused_events (received_at)'
]

/** Adds the columns that replays need to the table of refused events. Instances of the previous version may run. */
export const refusedReplays: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`set local lock_timeout = '10s'`.execute(db)
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
