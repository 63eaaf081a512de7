import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const NUMBERS = `events bigint not null,
    bytes bigint not null`

const TABLES = [
  `create table count_days (
    org_id text collate "C" not null,
    kind text collate "C" not null,
    day timestamptz not null,
    subject text collate "C" not null,
    outcome text collate "C" not null,
    ${NUMBERS},
    last_at timestamptz not null,
    primary key (org_id, kind, day, subject, outcome)
  )`,
  `create table count_hours (
    org_id text collate "C" not null,
    kind text collate "C" not null,
    hour timestamptz not null,
    outcome text collate "C" not null,
    ${NUMBERS},
    primary key (org_id, kind, hour, outcome)
  )`
]

const ADDED = 'select org_id, subject, outcome, hour, events, bytes, last_at from added'
const REMOVED = 'select org_id, subject, outcome, hour, -events as events, -bytes as bytes, last_at from removed'

/** Adds rows of counts, with negative numbers for those that no longer apply, to the sums. */
function addToSums (rows: string): string {
  return `
    insert into count_days (org_id, kind, day, subject, outcome, events, bytes, last_at)
    select org_id, split_part(subject, ':', 1), date_trunc('day', hour, 'UTC'), subject, outcome,
      sum(events), sum(bytes), max(last_at)
    from (${rows}) rows group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
    on conflict (org_id, kind, day, subject, outcome) do update set
      events = count_days.events + excluded.events,
      bytes = count_days.bytes + excluded.bytes,
      last_at = greatest(count_days.last_at, excluded.last_at);
    insert into count_hours (org_id, kind, hour, outcome, events, bytes)
    select org_id, split_part(subject, ':', 1), hour, outcome, sum(events), sum(bytes)
    from (${rows}) rows group by 1, 2, 3, 4 order by 1, 2, 3, 4
    on conflict (org_id, kind, hour, outcome) do update set
      events = count_hours.events + excluded.events,
      bytes = count_hours.bytes + excluded.bytes;`
}

/** Drops the sums whose hours have all been deleted. */
const DROP_EMPTY = `
    delete from count_days using (
      select distinct org_id, split_part(subject, ':', 1) as kind, date_trunc('day', hour, 'UTC') as day from removed
    ) gone
    where (count_days.org_id, count_days.kind, count_days.day) = (gone.org_id, gone.kind, gone.day) and events = 0;
    delete from count_hours using (select distinct org_id, split_part(subject, ':', 1) as kind, hour from removed) gone
    where (count_hours.org_id, count_hours.kind, count_hours.hour) = (gone.org_id, gone.kind, gone.hour) and events = 0;`

// The lock orders the writers, which would otherwise lock the rows of the sums in different orders.
const trigger = (name: string, event: string, tables: string, body: string) => [
  `create function ${name}() returns trigger language plpgsql as $body$
  begin
    lock table count_hours in share row exclusive mode;${body}
    return null;
  end
  $body$`,
  `create trigger ${name} after ${event} on counts referencing ${tables}
    for each statement execute function ${name}()`
]

const TRIGGERS = [
  trigger('add_counts', 'insert', 'new table as added', addToSums(ADDED)),
  trigger('change_counts', 'update', 'old table as removed new table as added',
    addToSums(`${ADDED} union all ${REMOVED}`)),
  trigger('remove_counts', 'delete', 'old table as removed', addToSums(REMOVED) + DROP_EMPTY)
].flat()

/**
 * Creates sums of the counts: by day, and by organisation and hour. Triggers of `counts` keep them equal to it in the
 * same transaction, also while instances of the previous version run. No request writes to that table; only sweeps
 * wait for the migration.
 */
export const countSums: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`set local lock_timeout = '10s'`.execute(db)
    await sql`lock table counts in share row exclusive mode`.execute(db)
    for (const statement of [...TABLES, ...TRIGGERS]) await sql.raw(statement).execute(db)
    const all = addToSums('select * from counts').split(';').filter((statement) => statement.trim() !== '')
    for (const statement of all) await sql.raw(statement).execute(db)
  }
}
