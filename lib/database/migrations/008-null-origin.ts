import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

/** Adds whether the origin `null` may send. The default stays, as the previous version does not know the column. */
export const nullOrigin: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`alter table sources add column allow_null_origin boolean not null default false`.execute(db)
  }
}
