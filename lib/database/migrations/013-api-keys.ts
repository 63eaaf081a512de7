import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const STATEMENTS = [
  `create table api_keys (
    id text collate "C" primary key,
    seq bigint generated always as identity,
    org_id text collate "C" not null,
    name text not null,
    prefix text not null,
    role text not null,
    permissions json,
    expires_at timestamptz,
    last_used_at timestamptz,
    created_by text not null,
    created_at timestamptz not null
  )`,
  'create index api_keys_by_org on api_keys (org_id, created_at desc, seq desc)',
  `create table api_key_digests (
    digest text collate "C" primary key,
    key_id text collate "C" not null references api_keys on delete cascade,
    expires_at timestamptz
  )`,
  'create index api_key_digests_by_key on api_key_digests (key_id)'
]

/** Creates the tables of API keys. Instances of the previous version may run during it. */
export const apiKeys: Migration = {
  async up (db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
