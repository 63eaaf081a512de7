import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const TABLES = [
  `create table webhooks (
    id text primary key,
    seq bigint generated always as identity,
    source_id text not null references sources on delete cascade,
    name text not null,
    provider text not null,
    secret_prefix text not null,
    url text,
    custom json,
    mapping json,
    enabled boolean not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  'create index webhooks_by_source on webhooks (source_id, created_at desc, seq desc)',

  `create table webhook_secrets (
    id text primary key,
    seq bigint generated always as identity,
    webhook_id text not null references webhooks on delete cascade,
    sealed text not null,
    expires_at timestamptz
  )`,
  'create index webhook_secrets_by_webhook on webhook_secrets (webhook_id)'
]

/** Creates the tables of webhooks. */
export const webhooks: Migration = {
  async up (db: Kysely<unknown>) {
    for (const statement of TABLES) await sql.raw(statement).execute(db)
  }
}
