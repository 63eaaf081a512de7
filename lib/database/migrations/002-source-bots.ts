import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

/** Adds the bot policy of sources. The default stays, as instances of the previous version may still create sources. */
export const sourceBots: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`alter table sources add column bots text not null default 'tag'`.execute(db)
  }
}
