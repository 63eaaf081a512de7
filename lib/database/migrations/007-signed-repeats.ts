import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

/** What a signed event without a messageId is when it comes again. The default stays for instances of the version before that still create sources. */
export const signedRepeats: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`alter table sources add column signed_repeats text not null default 'keep'`.execute(db)
  }
}
