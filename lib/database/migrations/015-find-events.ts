import { sql } from 'kysely'
import type { Kysely } from 'kysely'

import type { Migration } from '../migrator.js'

const COLUMNS = ['message_key', 'event_key', 'user_key', 'anonymous_key']

const PARTITIONS = `
select inhrelid::regclass::text as name, quote_ident(relname || '_find') as find_index
from pg_inherits join pg_class c on c.oid = inhrelid where inhparent = 'events'::regclass`

/** Instances of the previous version, which store no keys, may run this long after the migration. */
const OVERLAP = "interval '1 hour'"

/**
 * Adds the hashes by which events are found, with an index in each empty partition. The event sink indexes the other
 * partitions in the background and then drops the primary key, whose order the new indexes have as well. Reads and
 * writes no event, so ingestion waits for milliseconds only.
 */
export const findEvents: Migration = {
  async up (db: Kysely<unknown>) {
    await sql`set local lock_timeout = '3s'`.execute(db)
    await sql.raw(`alter table events ${COLUMNS.map((name) => `add column ${name} smallint`).join(', ')}`).execute(db)
    const { rows } = await sql.raw<{ name: string, find_index: string }>(PARTITIONS).execute(db)
    let isEmpty = true
    for (const { name, find_index: index } of rows) {
      const { rows: [first] } = await sql.raw(`select 1 from only ${name} limit 1`).execute(db)
      if (first !== undefined) {
        isEmpty = false
        continue
      }
      await sql.raw(
        `create index ${index} on ${name} (org_id, received_at, seq, ${COLUMNS.join(', ')}, "timestamp")`
      ).execute(db)
    }
    if (isEmpty) await sql.raw('alter table events drop constraint events_pkey').execute(db)
    await sql.raw('create table event_keys (since timestamptz not null)').execute(db)
    await sql.raw(
      `insert into event_keys values (${isEmpty ? 'to_timestamp(0)' : `date_trunc('milliseconds', now()) + ${OVERLAP}`})`
    ).execute(db)
  }
}
