import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const TABLES = [
  `create table totp_factors (
    user_id text primary key references users on delete cascade,
    sealed text,
    confirmed_at timestamptz,
    last_step integer,
    proposed text
  )`,

  `create table passkeys (
    id text primary key,
    seq bigint generated always as identity,
    user_id text not null references users on delete cascade,
    credential_id text collate "C" not null unique,
    public_key text not null,
    counter bigint not null,
    transports json not null,
    name text not null,
    created_at timestamptz not null,
    last_used_at timestamptz
  )`,
  'create index passkeys_by_user on passkeys (user_id, seq)',

  `create table recovery_codes (
    user_id text not null references users on delete cascade,
    digest text not null,
    primary key (user_id, digest)
  )`
]

/** Creates the tables of second factors. Instances of the previous version do not ask for a second factor. */
export const secondFactors: Migration = {
  async up (db: Kysely<unknown>) {
    for (const statement of TABLES) await sql.raw(statement).execute(db)
  }
}
