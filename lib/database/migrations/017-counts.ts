import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const COLUMNS = `org_id text collate "C" not null,
    subject text collate "C" not null,
    outcome text collate "C" not null,
    hour timestamptz not null,
    events bigint not null,
    bytes bigint not null,
    last_at timestamptz not null`

const STATEMENTS = [
  `create table counts (
    ${COLUMNS},
    primary key (org_id, subject, hour, outcome)
  )`,
  // Appended by each flush without an index or a lock on a shared row; a sweep adds the rows to `counts`.
  `create table count_deltas (${COLUMNS})`
]

/** Creates the tables of counts by hour. Instances of the previous version may run during it; they count nothing. */
export const counts: Migration = {
  async up (db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
