import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const STATEMENTS = [
  `create table scim_users (
    org_id text collate "C" not null,
    user_id text not null,
    seq bigint generated always as identity,
    user_name text not null,
    user_name_key text collate "C" not null,
    external_id text collate "C",
    display_name_key text collate "C",
    given_name_key text collate "C",
    family_name_key text collate "C",
    attributes json not null,
    version integer not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (user_id, org_id),
    foreign key (user_id, org_id) references memberships (user_id, org_id) on delete cascade
  )`,
  'create unique index scim_users_by_name on scim_users (org_id, user_name_key)',
  'create index scim_users_by_external_id on scim_users (org_id, external_id)',
  'create index scim_users_by_seq on scim_users (org_id, seq)',
  `create table scim_groups (
    id text collate "C" primary key,
    seq bigint generated always as identity,
    org_id text collate "C" not null references organisations on delete cascade,
    display_name text not null,
    display_name_key text collate "C" not null,
    external_id text collate "C",
    created_at timestamptz not null,
    updated_at timestamptz not null
  )`,
  'create unique index scim_groups_by_name on scim_groups (org_id, display_name_key)',
  'create index scim_groups_by_external_id on scim_groups (org_id, external_id)',
  'create index scim_groups_by_seq on scim_groups (org_id, seq)',
  `create table scim_group_members (
    group_id text collate "C" not null references scim_groups on delete cascade,
    org_id text collate "C" not null,
    user_id text not null,
    primary key (group_id, user_id),
    foreign key (user_id, org_id) references scim_users (user_id, org_id) on delete cascade
  )`,
  'create index scim_group_members_by_user on scim_group_members (user_id, org_id)',
  `create table scim_settings (
    org_id text collate "C" primary key references organisations on delete cascade,
    group_roles json not null,
    default_role text not null
  )`
]

/** Creates the tables of provisioned users and groups. Instances of the previous version may run during it. */
export const scim: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`set local lock_timeout = '10s'`.execute(db)
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
