import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const TABLES = [
  `create table sources (
    id text primary key,
    seq bigint generated always as identity,
    org_id text not null,
    name text not null,
    environment text not null,
    server_secret_prefix text not null,
    domains json not null,
    allow_any_origin boolean not null,
    require_signature text not null,
    require_timestamp boolean not null,
    enabled boolean not null,
    rate_limit double precision,
    pixel_types json not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  'create index sources_by_org on sources (org_id, created_at desc, seq desc)',

  `create table pipeline_keys (
    key text primary key,
    org_id text not null,
    source_id text references sources on delete set null,
    expires_at timestamptz
  )`,
  'create index pipeline_keys_by_source on pipeline_keys (source_id)',

  `create table server_secrets (
    id text primary key,
    seq bigint generated always as identity,
    source_id text not null references sources on delete cascade,
    sealed text not null,
    expires_at timestamptz
  )`,
  'create index server_secrets_by_source on server_secrets (source_id)',

  `create table users (
    id text primary key,
    org_id text not null,
    email text not null unique,
    password_hash text not null,
    role text not null,
    disabled boolean not null default false,
    epoch integer not null default 0,
    created_at timestamptz not null
  )`,

  `create table sessions (
    id text primary key,
    seq bigint generated always as identity,
    user_id text not null references users on delete cascade,
    refresh_digest text not null,
    previous_digest text,
    repeat_until timestamptz,
    sealed_successor text,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    ends_at timestamptz not null,
    ip text not null,
    user_agent text not null
  )`,
  'create index sessions_by_user on sessions (user_id)',
  'create index sessions_by_end on sessions (ends_at)',

  `create table login_failures (
    subject text primary key,
    count integer not null,
    locked_until timestamptz,
    last_at timestamptz not null
  )`,
  'create index login_failures_by_time on login_failures (last_at)',

  `create table audit_log (
    id text primary key,
    seq bigint generated always as identity,
    org_id text not null,
    action text not null,
    user_id text,
    user_email text,
    resource_type text,
    resource_id text,
    changes json,
    ip_address text,
    user_agent text,
    timestamp timestamptz not null
  )`,
  'create index audit_log_by_org on audit_log (org_id, timestamp desc, seq desc)',
  'create index audit_log_by_time on audit_log (timestamp)',

  `create table guest_tokens (
    key text primary key,
    client_id text not null,
    sealed text not null,
    minted_at timestamptz not null,
    expires_at timestamptz not null
  )`,
  'create index guest_tokens_by_client on guest_tokens (client_id)',
  'create index guest_tokens_by_end on guest_tokens (expires_at)',
  'create table guest_invalidations (client_id text primary key, invalidated_at timestamptz not null)',

  'create table claims (digest text primary key, expires_at timestamptz not null)',
  'create index claims_by_end on claims (expires_at)',

  `create table events (
    seq bigint generated always as identity primary key,
    org_id text not null,
    source_id text not null,
    message_id text not null,
    type text not null,
    auth_method text not null,
    received_at timestamptz not null,
    timestamp timestamptz not null,
    ip text not null,
    user_agent text,
    payload json not null,
    additions json not null
  )`,
  'create index events_by_org on events (org_id, seq desc)',

  `create table event_ids (
    source_id text not null,
    auth_method text not null,
    message_id text not null,
    seen_at timestamptz not null,
    primary key (source_id, auth_method, message_id)
  )`,
  'create index event_ids_by_time on event_ids (seen_at)'
]

/** Creates the tables of the token store and the event sink. */
export const initial: Migration = {
  async up (db: Kysely<unknown>) {
    for (const statement of TABLES) await sql.raw(statement).execute(db)
  }
}
