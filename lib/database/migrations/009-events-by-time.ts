import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

/** Each partition had a key of its own: organisation and number. */
const OWN_KEYS = `
select conrelid::regclass::text as partition, quote_ident(conname) as key
from pg_constraint join pg_inherits on inhrelid = conrelid
where inhparent = 'events'::regclass and contype = 'p'`

// An index of a hash has 8 bytes where one of the ids would have 70, and is the only one that fits its filter: no statistics make the database
// read a longer index instead. Most events are tracks, which any index finds, so that the index by type costs these nothing.
const STATEMENTS = [
  'alter table events add primary key (org_id, received_at, seq)',
  "create index events_by_source on events (hashtextextended(org_id || E'\\n' || source_id, 0), received_at, seq)",
  "create index events_by_type on events (hashtextextended(org_id || E'\\n' || type, 0), received_at, seq) where type <> 'track'",
  'drop index audit_log_by_user',
  'create index audit_log_by_user on audit_log (org_id, user_id, timestamp desc, seq desc) where user_id is not null',
  'create index audit_log_by_resource on audit_log (org_id, resource_id, timestamp desc, seq desc) where resource_id is not null'
]

/**
 * Events by time, source and type, and audit entries by user and resource: a list reads what it shows and no more. Builds two indexes over all
 * events, and nothing is written meanwhile. Stop instances of the version before: they cannot make the tables of further days.
 */
export const eventsByTime: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`set local lock_timeout = '10s'`.execute(db)
    const { rows } = await sql.raw<{ partition: string, key: string }>(OWN_KEYS).execute(db)
    for (const { partition, key } of rows) await sql.raw(`alter table ${partition} drop constraint ${key}`).execute(db)
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
