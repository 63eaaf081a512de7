import type { Database } from '../../../lib/database/open-database.js'
import { importOptional } from '../../../lib/optional-package.js'
import { toTimestamp } from './insert.js'
import type { EventPartitions } from './partitions.js'

/** Maximum number of rows that one statement deletes, so that writes do not wait long behind it. */
const DELETE_LIMIT = 5_000

// Skips ids that a concurrent insert renews or another instance deletes.
const DELETE_IDS = `
DELETE FROM event_ids WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM event_ids WHERE seen_at < $1::timestamptz ORDER BY seen_at LIMIT ${DELETE_LIMIT} FOR UPDATE SKIP LOCKED
))`

// Works on one partition, as a ctid is unique only within a partition. Finds the oldest event of each organisation by
// the primary key and deletes only where that one is due.
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
    SELECT ctid AS id, received_at FROM ${partition} WHERE org_id = oldest.org_id ORDER BY received_at, seq LIMIT ${DELETE_LIMIT}
  ) due
  WHERE oldest.received_at < $1::timestamptz AND due.received_at < $1::timestamptz LIMIT ${DELETE_LIMIT}
))`

// The default partition has no primary key order to use, and hardly any rows.
const expireFromDefault = (partition: string) => `
DELETE FROM ${partition} WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM ${partition} WHERE received_at < $1::timestamptz LIMIT ${DELETE_LIMIT}
))`

/** The embedded database is vacuumed after this many deleted rows, or after a fifth of the remaining ones. */
const VACUUM_THRESHOLD = 50_000

/** Deletes old rows. */
export interface SqlDeletion {
  /** Deletes the ids that were seen before `before`, epoch milliseconds. */
  deleteIds(before: number, stopped: () => boolean): Promise<void>
  /**
   * Deletes the events received before `before`, epoch milliseconds: drops whole partitions and deletes the oldest rows
   * of the others. A partition that a lock protects stays; the method then rejects after all other work is done.
   */
  expireEvents(before: number, stopped: () => boolean): Promise<void>
}

/** Creates the deletion. It deletes in slices and starts no further slice once `stopped` returns true. */
export async function sqlDeletion ({ patient: db, kind }: Database, partitions: EventPartitions): Promise<SqlDeletion> {
  const { CompiledQuery } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')
  const rowsUntilVacuum = new Map<string, number>()

  async function deleteFrom (table: string, statement: string, before: number, stopped: () => boolean): Promise<void> {
    const slice = CompiledQuery.raw(statement, [toTimestamp(before)])
    let deleted: number
    let total = 0
    do {
      deleted = Number((await db.executeQuery(slice)).numAffectedRows)
      total += deleted
    } while (deleted > 0 && !stopped())
    if (kind === 'pglite' && total > 0 && !stopped()) await vacuum(table, total)
  }

  /**
   * Vacuums the embedded database, which has no autovacuum and would grow forever. The first deletion always vacuums,
   * as the number of dead rows is unknown.
   */
  async function vacuum (table: string, deleted: number): Promise<void> {
    const left = (rowsUntilVacuum.get(table) ?? 0) - deleted
    rowsUntilVacuum.set(table, left)
    if (left > 0) return
    await db.executeQuery(CompiledQuery.raw(`VACUUM ${table}`))
    const { rows } = await db.executeQuery<{ live: number }>(
      CompiledQuery.raw('SELECT reltuples AS live FROM pg_class WHERE oid = $1::regclass', [table])
    )
    rowsUntilVacuum.set(table, Math.max(VACUUM_THRESHOLD, (rows[0]?.live ?? 0) / 5))
  }

  async function expireEvents (before: number, stopped: () => boolean): Promise<void> {
    let failure: unknown
    for (const partition of await partitions.list()) {
      const { name, since, until } = partition
      if (stopped()) break
      if (since !== null && since >= before) continue
      const expire = since === null && until === null ? expireFromDefault : expireFrom
      const work = until !== null && until <= before
        ? partitions.drop(partition)
        : deleteFrom(name, expire(name), before, stopped)
      await work.catch((error: unknown) => {
        if (!isUndefinedTable(error)) failure ??= error
      })
    }
    if (failure !== undefined) throw failure
  }

  return {
    deleteIds: (before, stopped) => deleteFrom('event_ids', DELETE_IDS, before, stopped),
    expireEvents
  }
}

/** Whether the partition no longer exists, as another instance has dropped it. */
function isUndefinedTable (error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === '42P01'
}
