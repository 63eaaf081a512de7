import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

/**
 * Drops the index of audit entries by time alone. The planner used it for lists of rare actions, which then read every
 * entry; old entries are found by organisation instead. Instances of the previous version may run.
 */
export const auditByOrganisation: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`set local lock_timeout = '10s'`.execute(db)
    await sql`drop index audit_log_by_time`.execute(db)
  }
}
