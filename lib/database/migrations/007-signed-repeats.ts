import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

/**
 * Adds how sources treat repeated signed events without a messageId. The default stays, as instances of the previous
 * version may still create sources.
 */
export const signedRepeats: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`alter table sources add column signed_repeats text not null default 'keep'`.execute(db)
  }
}
