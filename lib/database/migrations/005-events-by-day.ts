import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const TOMORROW = "(date_trunc('day', now() at time zone 'UTC') + interval '1 day') at time zone 'UTC'"

// What there is becomes the partition of all days up to today, which costs one pass over it and no copy. The order in which events are
// listed needs an index in each partition, not in the whole, which could have no unique one without the time. An identity would be
// shared by partitions from PostgreSQL 17 on only.
const STATEMENTS = [
  // Whoever reads for hours is not to hold up all that is written behind this.
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
  // A clock may have been wrong.
  `with ahead as (delete from events_before where received_at >= ${TOMORROW} returning *) insert into events_default select * from ahead`,
  `alter table events attach partition events_before for values from (minvalue) to (${TOMORROW})`
]

/**
 * Events in partitions by the UTC day on which they were received, so that old days can be dropped; the sink makes those of the days to
 * come. Stop instances of the version before that delete old events: they would take a row of one partition for one of another.
 */
export const eventsByDay: Migration = {
  async up (db: Kysely<unknown>) {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
  }
}
