import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const STATEMENTS = [
  `create table refused_events (
    id text collate "C" primary key,
    seq bigint generated always as identity,
    org_id text collate "C" not null,
    source_id text collate "C" not null references sources on delete cascade,
    code text collate "C" not null,
    reason text not null,
    origin text collate "C",
    ip text not null,
    user_agent text,
    path text not null,
    content_type text,
    signed boolean not null,
    type text,
    event text,
    message_id text,
    received_at timestamptz not null,
    bytes integer not null,
    payload text not null,
    replayed_at timestamptz
  )`,
  'create index refused_events_by_org on refused_events (org_id, received_at desc, seq desc)',
  'create index refused_events_by_source on refused_events (source_id, received_at desc, seq desc)',
  'alter table sources add column keep_refused boolean not null default false'
]

/**
 * Creates the table of refused events, and the setting of sources that keeps them. Instances of the previous version
 * may run during it; they keep no refused events.
 */
export const refusedEvents: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`set local lock_timeout = '10s'`.execute(db)
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
