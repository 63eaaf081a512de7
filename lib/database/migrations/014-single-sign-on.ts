import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const STATEMENTS = [
  `create table identity_providers (
    id text collate "C" primary key,
    seq bigint generated always as identity,
    org_id text collate "C" not null references organisations on delete cascade,
    kind text not null,
    name text not null,
    enabled boolean not null,
    settings json not null,
    roles json not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  'create index identity_providers_by_org on identity_providers (org_id, created_at desc, seq desc)',
  `create table identity_provider_secrets (
    id text collate "C" primary key,
    seq bigint generated always as identity,
    provider_id text collate "C" not null references identity_providers on delete cascade,
    sealed text not null,
    expires_at timestamptz
  )`,
  'create index identity_provider_secrets_by_provider on identity_provider_secrets (provider_id)',
  `create table identities (
    provider_id text collate "C" not null,
    subject text collate "C" not null,
    seq bigint generated always as identity,
    org_id text collate "C" not null references organisations on delete cascade,
    user_id text not null references users on delete cascade,
    created_at timestamptz not null,
    last_login_at timestamptz not null,
    primary key (provider_id, subject),
    unique (user_id, provider_id)
  )`,
  `create table sso_domains (
    id text collate "C" primary key,
    seq bigint generated always as identity,
    org_id text collate "C" not null references organisations on delete cascade,
    domain text collate "C" not null,
    token text not null,
    verified_at timestamptz,
    sso text not null default 'optional',
    created_at timestamptz not null,
    unique (org_id, domain)
  )`,
  'create index sso_domains_by_org on sso_domains (org_id, created_at desc, seq desc)',
  'create unique index sso_domains_verified on sso_domains (domain) where verified_at is not null',
  `create table sso_logins (
    digest text collate "C" primary key,
    sealed text not null,
    expires_at timestamptz not null
  )`,
  `create table sso_logouts (
    provider_id text collate "C" not null,
    subject text collate "C",
    provider_session text collate "C",
    at timestamptz not null
  )`,
  'create index sso_logouts_by_provider on sso_logouts (provider_id, at)',
  `alter table sessions add column provider_id text collate "C", add column provider_subject text collate "C",
    add column provider_session text collate "C", add column provider_hint text`,
  'create index sessions_by_provider on sessions (provider_id, provider_subject) where provider_id is not null'
]

/** Adds the tables of identity providers, and how a provider started a session. Older instances keep running. */
export const singleSignOn: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`set local lock_timeout = '10s'`.execute(db)
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
