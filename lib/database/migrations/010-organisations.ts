import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const STATEMENTS = [
  `create table organisations (
    id text collate "C" primary key,
    seq bigint generated always as identity,
    name text not null,
    mfa text not null default 'optional',
    max_users integer,
    max_sources integer,
    created_at timestamptz not null
  )`,
  'create index organisations_by_time on organisations (created_at desc, seq desc)',
  `insert into organisations (id, name, created_at)
    select id, id, date_trunc('milliseconds', now())
    from (select org_id as id from users union select org_id from sources) as used`,
  `create table memberships (
    org_id text collate "C" not null references organisations on delete cascade,
    user_id text not null references users on delete cascade,
    seq bigint generated always as identity,
    role text not null,
    disabled boolean not null default false,
    created_at timestamptz not null,
    last_login_at timestamptz,
    primary key (user_id, org_id)
  )`,
  'create index memberships_by_org on memberships (org_id, created_at desc, seq desc)',
  `insert into memberships (org_id, user_id, role, disabled, created_at)
    select org_id, id, role, disabled, created_at from users order by created_at`,
  'alter table sessions add column org_id text collate "C", add column mfa_at timestamptz',
  'update sessions set org_id = users.org_id from users where users.id = sessions.user_id',
  'alter table sessions alter column org_id set not null',
  `alter table sessions add constraint sessions_of_member
    foreign key (user_id, org_id) references memberships (user_id, org_id) on delete cascade`,
  'alter table users drop column org_id, drop column role, drop column disabled'
]

/**
 * Moves role, organisation and `disabled` of users to memberships, so that a user can belong to several organisations.
 * Stop instances of the previous version: they read the columns that this removes.
 */
export const organisations: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`set local lock_timeout = '10s'`.execute(db)
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
