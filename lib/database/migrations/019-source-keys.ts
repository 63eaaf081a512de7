import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

// `added_at`, because queries of the previous version order the join of sources and keys by `created_at`.
const STATEMENTS = [
  `alter table pipeline_keys
    add column id text collate "C",
    add column name text,
    add column domains json,
    add column enabled boolean not null default true,
    add column added_at timestamptz,
    add column last_used_at timestamptz`,
  'create unique index pipeline_keys_by_id on pipeline_keys (id)',
  'alter table sources add column daily_quota bigint, add column monthly_quota bigint'
]

/**
 * Adds names, domains and the last use of pipeline keys, and the quotas of sources. Keys that have no `id` were created
 * by an older version. Instances of the previous version may run during it, while no source has a named key.
 */
export const sourceKeys: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`set local lock_timeout = '10s'`.execute(db)
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
