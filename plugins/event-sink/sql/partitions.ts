import type { Kysely, Transaction } from 'kysely'

import type { Database } from '../../../lib/database/open-database.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { importOptional } from '../../../lib/optional-package.js'
import { toTimestamp } from './insert.js'

const DAY = 24 * 60 * 60 * 1000
/** Days after today that have a partition already: so long may locks, or a missing privilege, keep new ones from being made. */
const DAYS_AHEAD = 3
/** Milliseconds to wait for another instance that is at the same work. */
const TURN_TIMEOUT = 10_000
/** Milliseconds to wait for the lock of a table, as writes wait behind whoever waits for it. */
const LOCK_TIMEOUT = 500
/** Milliseconds that a partition may take to be made, as what is written to the default one waits meanwhile. */
const STATEMENT_TIMEOUT = 2_000
/** Events of the default partition that are moved to the one of their day; where there are more, their day stays in the default one. */
const MOVED_AT_MOST = 10_000
/** The first half of the key of an advisory lock; the second is the table. */
const LOCK_CLASS = 0x67617465

/** A partition of the events, by its quoted name. The default one has neither bound. */
export interface Partition {
  name: string
  /** Epoch milliseconds, inclusive; `null`: from the beginning. */
  since: number | null
  /** Epoch milliseconds, exclusive; `null`: without an end. */
  until: number | null
}

export interface EventPartitions {
  /** Asked over `db`. Default: the connections that have time. */
  list (db?: Kysely<DatabaseSchema>): Promise<Partition[]>
  /**
   * Makes the partitions of the UTC day of a time, epoch milliseconds, and of the days after it. What a lock prevents is left to the next
   * call; rejects if by then events of tomorrow would come to the default partition.
   */
  prepare (now: number): Promise<void>
  /** Drops a partition with all that is in it; another instance may have done so. Rejects if others use it for longer than half a second. */
  drop (partition: Partition): Promise<void>
}

/** The partitions of the events, one for each UTC day. Several instances may work on them at once. */
export async function eventPartitions ({ patient }: Database): Promise<EventPartitions> {
  const { sql } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')

  // By name as it was when this was asked: an oid has none any more once another instance has dropped the table.
  async function list (from: Kysely<DatabaseSchema> = patient): Promise<Partition[]> {
    const { rows } = await sql<{ name: string, since: Date | null, until: Date | null }>`
      select format('%I.%I', nspname, relname) as name,
        substring(bound from ${String.raw`FROM \('([^']*)'\)`})::timestamptz as since,
        substring(bound from ${String.raw`TO \('([^']*)'\)`})::timestamptz as until
      from pg_inherits join pg_class c on c.oid = inhrelid join pg_namespace n on n.oid = relnamespace,
        lateral (select pg_get_expr(relpartbound, c.oid) as bound) b
      where inhparent = 'events'::regclass and bound is not null`.execute(from)
    return rows.map(({ name, since, until }) => ({ name, since: since?.getTime() ?? null, until: until?.getTime() ?? null }))
  }

  /** Alone among the instances, and not for long. Locks are taken in one order: the whole table, then the default partition. */
  async function alone (work: (tx: Transaction<DatabaseSchema>) => Promise<void>): Promise<void> {
    await patient.transaction().execute(async (tx) => {
      await sql`set local lock_timeout = ${sql.lit(TURN_TIMEOUT)}`.execute(tx)
      await sql`select pg_advisory_xact_lock((${sql.lit(LOCK_CLASS)}::bigint << 32) + 'events'::regclass::oid::bigint)`.execute(tx)
      await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(tx)
      await sql`set local statement_timeout = ${sql.lit(STATEMENT_TIMEOUT)}`.execute(tx)
      await work(tx)
    })
  }

  async function make (day: number): Promise<void> {
    await alone(async (tx) => {
      if (covers(await list(tx), day)) return
      const [since, until] = [sql.lit(toTimestamp(day)), sql.lit(toTimestamp(day + DAY))]
      const ofDay = sql`from only events_default where received_at >= ${since} and received_at < ${until}`
      const { rows } = await sql`select ${ofDay} limit ${sql.lit(MOVED_AT_MOST + 1)}`.execute(tx)
      if (rows.length > MOVED_AT_MOST) return

      const name = sql.table(`events_${toTimestamp(day).slice(0, 10).replaceAll('-', '')}`)
      await sql`create table ${name} (like events including all)`.execute(tx)
      await sql`lock table only events in share update exclusive mode`.execute(tx)
      await sql`lock table only events_default in access exclusive mode`.execute(tx)
      await sql`with moved as (delete ${ofDay} returning *) insert into ${name} select * from moved`.execute(tx)
      await sql`alter table events attach partition ${name} for values from (${since}) to (${until})`.execute(tx)
    })
  }

  return {
    list,

    async prepare (now) {
      const today = now - now % DAY
      const there = await list()
      for (let ahead = 0; ahead <= DAYS_AHEAD; ahead++) {
        const day = today + ahead * DAY
        if (covers(there, day)) continue
        try {
          await make(day)
        } catch (error) {
          if (isBusy(error) && ahead > 1) return
          throw error
        }
      }
    },

    async drop ({ name }) {
      await alone(async (tx) => {
        await sql`drop table if exists ${sql.raw(name)}`.execute(tx)
      })
    }
  }
}

/** Whether another than the default partition takes events of a day. */
function covers (partitions: readonly Partition[], day: number): boolean {
  return partitions.some(({ since, until }) => (since !== null || until !== null) && day < (until ?? Infinity) && day + DAY > (since ?? -Infinity))
}

/** A lock that was not to be had in time, or work that took too long: either may pass. */
export function isBusy (error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return code === '55P03' || code === '57014'
}
