import type { Database } from '../../../lib/database/open-database.js'
import { importOptional } from '../../../lib/optional-package.js'
import { toTimestamp } from './insert.js'
import type { EventPartitions } from './partitions.js'

/** Rows that one statement deletes, so that no write waits for long behind it. */
const DELETED_AT_ONCE = 5_000

// An id that an insert is just renewing is left to it, and so are those that another instance forgets.
const FORGET = `
DELETE FROM event_ids WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM event_ids WHERE seen_at < $1::timestamptz ORDER BY seen_at LIMIT ${DELETED_AT_ONCE} FOR UPDATE SKIP LOCKED
))`

// In one partition, as rows of different ones share a ctid. By the primary key: the oldest of each organisation, where the very oldest is due.
const expireFrom = (partition: string) => `
WITH RECURSIVE oldest AS (
  (SELECT org_id, received_at FROM ${partition} ORDER BY org_id, received_at, seq LIMIT 1)
  UNION ALL
  SELECT another.org_id, another.received_at FROM oldest, LATERAL (
    SELECT org_id, received_at FROM ${partition} WHERE org_id > oldest.org_id ORDER BY org_id, received_at, seq LIMIT 1
  ) another
)
DELETE FROM ${partition} WHERE ctid = ANY (ARRAY(
  SELECT due.id FROM oldest, LATERAL (
    SELECT ctid AS id, received_at FROM ${partition} WHERE org_id = oldest.org_id ORDER BY received_at, seq LIMIT ${DELETED_AT_ONCE}
  ) due
  WHERE oldest.received_at < $1::timestamptz AND due.received_at < $1::timestamptz LIMIT ${DELETED_AT_ONCE}
))`

// In the default partition nothing is in order, and there is next to nothing in it.
const expireFromDefault = (partition: string) => `
DELETE FROM ${partition} WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM ${partition} WHERE received_at < $1::timestamptz LIMIT ${DELETED_AT_ONCE}
))`

/** The embedded database is cleaned up once so many rows were deleted, or a fifth of those that are left. */
const RECLAIMED_FROM = 50_000

export interface SqlDeletion {
  /** Forgets the ids that were seen before a time, epoch milliseconds. */
  forgetIds (before: number, stopped: () => boolean): Promise<void>
  /**
   * Deletes the events that were received before a time, epoch milliseconds: whole partitions are dropped, of the others the oldest rows
   * are deleted. What can't be dropped for a lock stays and is the reason to reject, once all else is done.
   */
  expireEvents (before: number, stopped: () => boolean): Promise<void>
}

/** Deletes what is too old, slice by slice; no further slice is begun once `stopped` says so. */
export async function sqlDeletion ({ patient: db, kind }: Database, partitions: EventPartitions): Promise<SqlDeletion> {
  const { CompiledQuery } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')
  const untilReclaimed = new Map<string, number>()

  async function deleteFrom (table: string, statement: string, before: number, stopped: () => boolean): Promise<void> {
    const slice = CompiledQuery.raw(statement, [toTimestamp(before)])
    let deleted: number
    let total = 0
    do {
      deleted = Number((await db.executeQuery(slice)).numAffectedRows)
      total += deleted
    } while (deleted > 0 && !stopped())
    if (kind === 'pglite' && total > 0 && !stopped()) await reclaim(table, total)
  }

  /** A server cleans up by itself; the embedded database never would, and grow for ever. At first it has any number of rows from before. */
  async function reclaim (table: string, deleted: number): Promise<void> {
    const left = (untilReclaimed.get(table) ?? 0) - deleted
    untilReclaimed.set(table, left)
    if (left > 0) return
    await db.executeQuery(CompiledQuery.raw(`VACUUM ${table}`))
    const { rows } = await db.executeQuery<{ live: number }>(CompiledQuery.raw('SELECT reltuples AS live FROM pg_class WHERE oid = $1::regclass', [table]))
    untilReclaimed.set(table, Math.max(RECLAIMED_FROM, (rows[0]?.live ?? 0) / 5))
  }

  async function expireEvents (before: number, stopped: () => boolean): Promise<void> {
    let failure: unknown
    for (const partition of await partitions.list()) {
      const { name, since, until } = partition
      if (stopped()) break
      if (since !== null && since >= before) continue
      const expire = since === null && until === null ? expireFromDefault : expireFrom
      const work = until !== null && until <= before ? partitions.drop(partition) : deleteFrom(name, expire(name), before, stopped)
      await work.catch((error: unknown) => { if (!isGone(error)) failure ??= error })
    }
    if (failure !== undefined) throw failure
  }

  return {
    forgetIds: (before, stopped) => deleteFrom('event_ids', FORGET, before, stopped),
    expireEvents
  }
}

/** Another instance has dropped the partition meanwhile. */
function isGone (error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === '42P01'
}
