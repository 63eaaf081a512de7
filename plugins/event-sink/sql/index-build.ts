import type { Kysely } from 'kysely'

import type { Database } from '../../../lib/database/open-database.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { importOptional } from '../../../lib/optional-package.js'

/** Milliseconds after which the next sweep goes on, so that other cleanup is not delayed. */
const BUILD_TIME = 30_000
/** First half of the advisory lock's key; the second half is the table. */
const LOCK_CLASS = 0x66696e64

/** An index of each partition. Its name is that of the partition with a suffix. */
export interface PartitionIndex {
  suffix: string
  /** The columns in brackets, and the predicate. */
  definition: string
}

/** An index that a partition does not have. */
export interface MissingIndex {
  /** The quoted name of the partition with its schema. */
  partition: string
  /** The quoted name of the index. */
  index: string
  definition: string
  /** The quoted name with the schema, of an index that another build left unfinished. */
  broken: string | null
}

/** Builds indexes of partitions while events are stored. */
export interface IndexBuilder {
  /** Resolves with the indexes that partitions do not have, of the newest partition first. */
  missing(db: Kysely<DatabaseSchema>, indexes: readonly PartitionIndex[]): Promise<MissingIndex[]>
  /**
   * Builds the indexes that `find` resolves with, unless another instance builds indexes. Resolves with whether none is
   * missing. Starts no further index once `stopped` returns true.
   */
  build(find: (db: Kysely<DatabaseSchema>) => Promise<MissingIndex[]>, stopped: () => boolean): Promise<boolean>
}

export async function indexBuilder ({ patient, kind }: Database): Promise<IndexBuilder> {
  const { sql } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')
  const concurrently = sql.raw(kind === 'postgres' ? 'concurrently' : '')

  return {
    async missing (db, indexes) {
      const { rows } = await sql<MissingIndex>`
        select format('%I.%I', n.nspname, c.relname) as partition, quote_ident(c.relname || suffix) as index,
          definition, case when i.oid is not null then i.oid::regclass::text end as broken
        from pg_inherits join pg_class c on c.oid = inhrelid join pg_namespace n on n.oid = c.relnamespace
          cross join unnest(
            ${indexes.map(({ suffix }) => suffix)}::text[], ${indexes.map(({ definition }) => definition)}::text[]
          ) wanted (suffix, definition)
          left join (pg_class i join pg_index x on x.indexrelid = i.oid)
            on x.indrelid = c.oid and i.relname = c.relname || suffix
        where inhparent = 'events'::regclass and not coalesce(x.indisvalid, false)
        order by c.relname desc, suffix`.execute(db)
      return rows
    },

    build: (find, stopped) =>
      patient.connection().execute(async (db) => {
        const key = sql`(${sql.lit(LOCK_CLASS)}::bigint << 32) + 'events'::regclass::oid::bigint`
        const { rows: [lock] } = await sql<{ free: boolean }>`select pg_try_advisory_lock(${key}) as free`.execute(db)
        if (lock?.free !== true) return false
        try {
          // A pool that the host passed in may limit its statements.
          await sql`set statement_timeout = 0`.execute(db)
          const end = performance.now() + BUILD_TIME
          for (const { partition, index, definition, broken } of await find(db)) {
            if (stopped() || performance.now() > end) return false
            if (broken !== null) await sql`drop index ${concurrently} if exists ${sql.raw(broken)}`.execute(db)
            await sql`create index ${concurrently} ${sql.raw(`${index} on ${partition} ${definition}`)}`.execute(db)
          }
          return true
        } finally {
          await sql`reset statement_timeout`.execute(db)
          await sql`select pg_advisory_unlock(${key})`.execute(db)
        }
      })
  }
}
