import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const TOMORROW = "(date_trunc('day', now() at time zone 'UTC') + interval '1 day') at time zone 'UTC'"

// The existing table becomes the partition of all days up to today: one scan, no copy. Each partition has its own index
// for the order of lists, as a unique index of the whole table would have to include the time. A sequence replaces the
// identity column, which partitions share only from PostgreSQL 17 on.
const STATEMENTS = [
  // A long-running read must not block the writes that queue behind this lock.
  "set local lock_timeout = '10s'",
  'alter table events rename to events_before',
  'alter table events_before rename constraint events_pkey to events_before_pkey',
  'create sequence events_seq',
  "select setval('events_seq', nextval(pg_get_serial_sequence('events_before', 'seq')))",
  'alter table events_before alter column seq drop identity',
  'create table events (like events_before) partition by range (received_at)',
  "alter table events alter column seq set default nextval('events_seq')",
  'alter sequence events_seq owned by events.seq',
  'create table events_default (like events, primary key (org_id, seq))',
  'alter table events attach partition events_default default',
  // The clock may have been wrong: events in the future go to the default partition.
  `with ahead as (delete from events_before where received_at >= ${TOMORROW} returning *) insert into events_default select * from ahead`,
  `alter table events attach partition events_before for values from (minvalue) to (${TOMORROW})`
]

/**
 * Partitions events by the UTC day of their receipt, so that old days can be dropped; the sink creates future
 * partitions. Stop instances of the previous version that delete old events: they select rows by ctid, which is unique
 * only within a partition.
 */
export const eventsByDay: Migration = {
  async up (db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
