import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const STATEMENTS = [
  `create table invitations (
    id text primary key,
    seq bigint generated always as identity,
    org_id text collate "C" not null references organisations on delete cascade,
    email text not null,
    role text not null,
    invited_by text not null,
    digest text not null unique,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    unique (org_id, email)
  )`,
  'create index invitations_by_org on invitations (org_id, created_at desc, seq desc)',
  `create table password_resets (
    user_id text primary key references users on delete cascade,
    digest text not null unique,
    email text not null,
    password_digest text not null,
    expires_at timestamptz not null
  )`,
  `create table email_changes (
    user_id text primary key references users on delete cascade,
    digest text not null unique,
    email text not null,
    password_digest text not null,
    expires_at timestamptz not null,
    new_email text not null,
    new_digest text not null unique,
    confirmed boolean not null default false,
    new_confirmed boolean not null default false
  )`
]

/** Adds the tables of invitations, password resets and changes of email. Older instances keep running. */
export const invitations: Migration = {
  async up (db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
