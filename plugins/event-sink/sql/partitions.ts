import type { Kysely, Transaction } from 'kysely'

import type { Database } from '../../../lib/database/open-database.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { importOptional } from '../../../lib/optional-package.js'
import { FIND_INDEX, findIndexes } from './find-index.js'
import { indexBuilder } from './index-build.js'
import { toTimestamp } from './insert.js'
import { LOOKUPS } from './lookup-index.js'
import type { LookupName } from './lookup-index.js'

const DAY = 24 * 60 * 60 * 1000
/** Days after today that have a partition: locks or a missing privilege may prevent new ones for as long. */
const DAYS_AHEAD = 3
/** Milliseconds to wait for another instance that manages partitions. */
const ADVISORY_LOCK_TIMEOUT = 10_000
/** Milliseconds to wait for a table lock, as writes queue behind the waiter. */
const LOCK_TIMEOUT = 500
/** Maximum time to create a partition, milliseconds, as writes to the default partition wait meanwhile. */
const STATEMENT_TIMEOUT = 2_000
/** Maximum number of events to move from the default partition; a day with more stays there. */
const MAX_MOVED_EVENTS = 10_000
/** First half of the advisory lock's key; the second half is the table. */
const LOCK_CLASS = 0x67617465
/** Milliseconds after the end of a day until its last events are stored. */
const GRACE = 60 * 60 * 1000
const LOOKUP_INDEXES = Object.values(LOOKUPS)

/** A partition of the events with its quoted name. The default partition has no bounds. */
export interface Partition {
  name: string
  /** Epoch milliseconds, inclusive; `null`: no lower bound. */
  since: number | null
  /** Epoch milliseconds, exclusive; `null`: no upper bound. */
  until: number | null
  /** The `LOOKUPS` that it has. */
  lookups: LookupName[]
}

/** Manages the partitions of the events. */
export interface EventPartitions {
  /** Lists the partitions over `db`. Default: the connections for cleanup. */
  list(db?: Kysely<DatabaseSchema>): Promise<Partition[]>
  /**
   * Creates the partitions of the UTC day of `now`, epoch milliseconds, and of the following days. A partition that a
   * lock prevents is left to the next call; rejects if that would send tomorrow's events to the default partition.
   */
  prepare(now: number): Promise<void>
  /**
   * Indexes partitions in the background: those from before the migration to this version (see `findIndexes`), and, by
   * `LOOKUPS`, those whose day has ended at `now`, epoch milliseconds. Starts no further index once `stopped` returns
   * true.
   */
  index(now: number, stopped: () => boolean): Promise<void>
  /** Drops a partition with its events, if it still exists. Rejects if a lock blocks it for longer than 500 ms. */
  drop(partition: Partition): Promise<void>
}

/** Creates the manager of partitions, one per UTC day. Several instances may use it concurrently. */
export async function eventPartitions (database: Database): Promise<EventPartitions> {
  const { patient } = database
  const { sql } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')

  const builder = await indexBuilder(database)

  // Reads names, not oids: an oid has no name after another instance has dropped the table.
  async function list (from: Kysely<DatabaseSchema> = patient): Promise<Partition[]> {
    const { rows } = await sql<{ name: string, since: Date | null, until: Date | null, lookups: LookupName[] }>`
      select format('%I.%I', nspname, relname) as name,
        substring(bound from ${String.raw`FROM \('([^']*)'\)`})::timestamptz as since,
        substring(bound from ${String.raw`TO \('([^']*)'\)`})::timestamptz as until,
        array(select lookup from pg_index x join pg_class i on i.oid = indexrelid, unnest(
            ${Object.keys(LOOKUPS)}::text[], ${LOOKUP_INDEXES.map(({ suffix }) => suffix)}::text[]
          ) wanted (lookup, suffix)
          where indrelid = c.oid and indisvalid and i.relname = c.relname || suffix) as lookups
      from pg_inherits join pg_class c on c.oid = inhrelid join pg_namespace n on n.oid = relnamespace,
        lateral (select pg_get_expr(relpartbound, c.oid) as bound) b
      where inhparent = 'events'::regclass and bound is not null`.execute(from)
    return rows.map(({ name, since, until, lookups }) => ({
      name,
      since: since?.getTime() ?? null,
      until: until?.getTime() ?? null,
      lookups
    }))
  }

  /**
   * Runs `work` under an advisory lock with short timeouts. Locks are taken in a fixed order: the whole table, then the
   * default partition.
   */
  async function exclusively (work: (tx: Transaction<DatabaseSchema>) => Promise<void>): Promise<void> {
    await patient.transaction().execute(async (tx) => {
      await sql`set local lock_timeout = ${sql.lit(ADVISORY_LOCK_TIMEOUT)}`.execute(tx)
      await sql`select pg_advisory_xact_lock((${sql.lit(LOCK_CLASS)}::bigint << 32) + 'events'::regclass::oid::bigint)`
        .execute(tx)
      await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(tx)
      await sql`set local statement_timeout = ${sql.lit(STATEMENT_TIMEOUT)}`.execute(tx)
      await work(tx)
    })
  }

  async function create (day: number): Promise<void> {
    await exclusively(async (tx) => {
      if (covers(await list(tx), day)) return
      const [since, until] = [sql.lit(toTimestamp(day)), sql.lit(toTimestamp(day + DAY))]
      const ofDay = sql`from only events_default where received_at >= ${since} and received_at < ${until}`
      const { rows } = await sql`select ${ofDay} limit ${sql.lit(MAX_MOVED_EVENTS + 1)}`.execute(tx)
      if (rows.length > MAX_MOVED_EVENTS) return

      const table = `events_${toTimestamp(day).slice(0, 10).replaceAll('-', '')}`
      const name = sql.table(table)
      await sql`create table ${name} (like events including all)`.execute(tx)
      const { suffix, definition } = FIND_INDEX
      await sql`create index ${sql.id(table + suffix)} on ${name} ${sql.raw(definition)}`.execute(tx)
      await sql`lock table only events in share update exclusive mode`.execute(tx)
      await sql`lock table only events_default in access exclusive mode`.execute(tx)
      await sql`with moved as (delete ${ofDay} returning *) insert into ${name} select * from moved`.execute(tx)
      await sql`alter table events attach partition ${name} for values from (${since}) to (${until})`.execute(tx)
    })
  }

  const buildFindIndexes = await findIndexes(database, builder, exclusively)

  return {
    list,

    async index (now, stopped) {
      await buildFindIndexes(stopped)
      // The default partition, which receives few events, counts as ended.
      const ended = (await list()).filter(({ until, lookups }) =>
        lookups.length < LOOKUP_INDEXES.length && (until ?? -Infinity) + GRACE <= now
      ).map(({ name }) => name)
      if (ended.length === 0) return
      await builder.build(async (db) =>
        (await builder.missing(db, LOOKUP_INDEXES)).filter(({ partition }) => ended.includes(partition)), stopped)
    },

    async prepare (now) {
      const today = now - now % DAY
      const existing = await list()
      for (let ahead = 0; ahead <= DAYS_AHEAD; ahead++) {
        const day = today + ahead * DAY
        if (covers(existing, day)) continue
        try {
          await create(day)
        } catch (error) {
          if (isBusy(error) && ahead > 1) return
          throw error
        }
      }
    },

    async drop ({ name }) {
      await exclusively(async (tx) => {
        await sql`drop table if exists ${sql.raw(name)}`.execute(tx)
      })
    }
  }
}

/** Whether a partition other than the default one covers a day. */
function covers (partitions: readonly Partition[], day: number): boolean {
  return partitions.some(({ since, until }) =>
    (since !== null || until !== null) && day < (until ?? Infinity) && day + DAY > (since ?? -Infinity)
  )
}

/** Whether the error is a lock or statement timeout, which is temporary. */
export function isBusy (error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return code === '55P03' || code === '57014'
}
