import type { Kysely, Transaction } from 'kysely'

import type { Database } from '../../../lib/database/open-database.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { importOptional } from '../../../lib/optional-package.js'

/** Milliseconds after which the next sweep goes on, so that other cleanup is not delayed. */
const BUILD_TIME = 30_000
/** First half of the advisory lock's key; the second half is the table. */
const LOCK_CLASS = 0x66696e64

/** The columns of a partition's index: the order of lists, then the values that a search compares in the index. */
export const FIND_COLUMNS =
  'org_id, received_at, seq, message_key, event_key, user_key, anonymous_key, "timestamp"'

interface Unindexed {
  /** The quoted name of the partition. */
  partition: string
  /** The quoted name of its index. */
  index: string
  /** The quoted name with the schema, of an index that another build left unfinished. */
  broken: string | null
}

const UNINDEXED = `
select inhrelid::regclass::text as partition, quote_ident(c.relname || '_find') as index,
  case when i.oid is not null then i.oid::regclass::text end as broken
from pg_inherits join pg_class c on c.oid = inhrelid
  left join (pg_class i join pg_index x on x.indexrelid = i.oid) on x.indrelid = c.oid and i.relname = c.relname || '_find'
where inhparent = 'events'::regclass and not coalesce(x.indisvalid, false)
order by c.relname desc`

/**
 * Creates the function that indexes the partitions from before the migration to this version, newest first, while
 * events are stored. Each index has the order of the primary key, which is dropped afterwards.
 */
export async function findIndexes (
  { patient, kind }: Database,
  exclusively: (work: (tx: Transaction<DatabaseSchema>) => Promise<void>) => Promise<void>
): Promise<(stopped: () => boolean) => Promise<void>> {
  const { sql } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')
  const concurrently = sql.raw(kind === 'postgres' ? 'concurrently' : '')
  let isDone = false

  /** Builds missing indexes on one connection, unless another instance does. Resolves with whether none is missing. */
  async function build (db: Kysely<DatabaseSchema>, stopped: () => boolean): Promise<boolean> {
    const key = sql`(${sql.lit(LOCK_CLASS)}::bigint << 32) + 'events'::regclass::oid::bigint`
    const { rows: [lock] } = await sql<{ free: boolean }>`select pg_try_advisory_lock(${key}) as free`.execute(db)
    if (lock?.free !== true) return false
    try {
      // A pool that the host passed in may limit its statements.
      await sql`set statement_timeout = 0`.execute(db)
      const { rows } = await sql.raw<Unindexed>(UNINDEXED).execute(db)
      const end = performance.now() + BUILD_TIME
      for (const { partition, index, broken } of rows) {
        if (stopped() || performance.now() > end) return false
        if (broken !== null) await sql`drop index ${concurrently} if exists ${sql.raw(broken)}`.execute(db)
        await sql`create index ${concurrently} ${sql.raw(`${index} on ${partition} (${FIND_COLUMNS})`)}`.execute(db)
      }
      return true
    } finally {
      await sql`reset statement_timeout`.execute(db)
      await sql`select pg_advisory_unlock(${key})`.execute(db)
    }
  }

  return async function buildFindIndexes (stopped) {
    if (isDone) return
    const { rows } = await sql<{ name: string }>`
      select quote_ident(conname) as name from pg_constraint where conrelid = 'events'::regclass and contype = 'p'`
      .execute(patient)
    const [primaryKey] = rows
    if (primaryKey !== undefined) {
      if (!await patient.connection().execute((connection) => build(connection, stopped))) return
      await exclusively(async (tx) => {
        const { rows: missing } = await sql.raw(UNINDEXED).execute(tx)
        if (missing.length > 0) return
        await sql`alter table events drop constraint if exists ${sql.raw(primaryKey.name)}`.execute(tx)
      })
      return
    }
    isDone = true
  }
}
