import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

/**
 * Indexes the counts by hour, for the statistics of organisations with many sources. No request writes to this table,
 * so that events are stored meanwhile. Instances of the previous version may run.
 */
export const countsByHour: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`set local lock_timeout = '10s'`.execute(db)
    await sql`create index counts_by_hour on counts (org_id, hour)`.execute(db)
  }
}
