import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

/** What becomes of the events of bots. The default stays: an instance of the version before may still create sources meanwhile. */
export const sourceBots: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`alter table sources add column bots text not null default 'tag'`.execute(db)
  }
}
