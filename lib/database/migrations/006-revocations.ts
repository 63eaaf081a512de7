import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const STATEMENTS = [
  `create table revocations (
    id text primary key,
    seq bigint generated always as identity,
    org_id text collate "C" not null,
    kind text collate "C" not null,
    subject text collate "C" not null,
    cutoff timestamptz not null,
    created_at timestamptz not null,
    created_by text,
    unique (org_id, kind, subject)
  )`,
  'create index revocations_by_org on revocations (org_id, created_at desc, seq desc)',
  'create index audit_log_by_action on audit_log (org_id, action, timestamp desc, seq desc)',
  'create index audit_log_by_user on audit_log (org_id, user_id, action, timestamp desc, seq desc) where user_id ' +
    'is not null'
]

/** Creates the table of revocations, and indexes of the audit log by action and by user, newest first. */
export const revocations: Migration = {
  async up (db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
