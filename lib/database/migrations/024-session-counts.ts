import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

/** Appends the numbers of sessions by organisation and hour. */
function append (rows: string, sign: '' | '-'): string {
  return `insert into session_counts (org_id, hour, sessions)
    select org_id, date_trunc('hour', ends_at, 'UTC'), ${sign}count(*) from ${rows} group by 1, 2`
}

const trigger = (name: string, event: string, table: string, sign: '' | '-') => [
  `create function ${name}() returns trigger language plpgsql as $body$
  begin
    ${append('changed', sign)};
    return null;
  end
  $body$`,
  `create trigger ${name} after ${event} on sessions referencing ${table} as changed
    for each statement execute function ${name}()`
]

// No statement changes the organisation or the end of a session. A row for each login, and no key: concurrent logins do
// not wait for each other.
const STATEMENTS = [
  'create table session_counts (org_id text collate "C" not null, hour timestamptz not null, sessions bigint not null)',
  'lock table sessions in share row exclusive mode',
  append('sessions', ''),
  'create index session_counts_by_org on session_counts (org_id, hour)',
  ...trigger('add_sessions', 'insert', 'new table', ''),
  ...trigger('remove_sessions', 'delete', 'old table', '-')
]

/**
 * Counts the sessions by organisation and by the hour in which they end. Triggers append the changes in the same
 * transaction, also while instances of the previous version run. Logins and refreshes wait while it counts.
 */
export const sessionCounts: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`set local lock_timeout = '10s'`.execute(db)
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
