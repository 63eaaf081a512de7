import type { Database } from '../open-database.js'
import { hourOf } from '../../counts/count-table.js'
import type { CountKind } from '../../../contracts/counts.js'
import { subjectsOf } from './subject.js'

/** Maximum number of rows that one statement moves. */
const SLICE = 10_000
/** Number of moved rows after which the embedded database, which has no autovacuum, vacuums the table. */
const VACUUM_THRESHOLD = 1_000

// Takes rows that no other instance takes, and updates the counts in the order of their key, so that two instances move
// each row once and cannot deadlock.
const FOLD = `
WITH taken AS (
  DELETE FROM count_deltas WHERE ctid = ANY (ARRAY(SELECT ctid FROM count_deltas LIMIT ${SLICE} FOR UPDATE SKIP LOCKED))
  RETURNING org_id, subject, outcome, hour, events, bytes, last_at
), folded AS (
  INSERT INTO counts (org_id, subject, outcome, hour, events, bytes, last_at)
  SELECT org_id, subject, outcome, hour, sum(events), sum(bytes), max(last_at) FROM taken
  GROUP BY org_id, subject, hour, outcome ORDER BY org_id, subject, hour, outcome
  ON CONFLICT (org_id, subject, hour, outcome) DO UPDATE SET
    events = counts.events + excluded.events,
    bytes = counts.bytes + excluded.bytes,
    last_at = greatest(counts.last_at, excluded.last_at)
)
SELECT count(*)::int AS moved FROM taken`

/** Moves the rows of `count_deltas` to `counts` in slices; starts no further slice once `stopped` returns `true`. */
export async function foldCounts (
  { patient: db, kind }: Database,
  stopped: () => boolean = () => false
): Promise<void> {
  const { CompiledQuery } = await import('kysely')
  let moved: number
  let total = 0
  do {
    const { rows } = await db.executeQuery<{ moved: number }>(CompiledQuery.raw(FOLD))
    moved = rows[0]?.moved ?? 0
    total += moved
  } while (moved === SLICE && !stopped())
  if (kind === 'pglite' && total >= VACUUM_THRESHOLD) await db.executeQuery(CompiledQuery.raw('VACUUM count_deltas'))
}

/**
 * Returns a function that deletes the counts of kinds whose hour ended before `before`, epoch milliseconds. It reads
 * the whole table, so it does so once for each new hour.
 */
export function countExpiry (
  { patient: db }: Database,
  kinds: readonly CountKind[]
): (before: number) => Promise<void> {
  let done = -Infinity
  return async function expire (before) {
    const hour = hourOf(before)
    if (hour <= done) return
    const { sql } = await import('kysely')
    for (const kind of kinds) {
      const [first, end] = subjectsOf(kind)
      // Locks the rows in the order of their key, as `foldCounts` does, so that instances cannot deadlock.
      await sql`delete from counts where ctid = any(array(
        select ctid from counts where subject >= ${first} and subject < ${end}
          and hour < ${new Date(Math.max(0, hour))} order by org_id, subject, hour, outcome for update
      ))`.execute(db)
    }
    done = hour
  }
}
