import type { Database } from '../../../lib/database/open-database.js'
import { UNAVAILABLE } from '../../../lib/errors.js'
import { foldCounts } from '../../../lib/database/counts/fold.js'
import { refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import { importOptional } from '../../../lib/optional-package.js'
import { hexOfId, idOfHex } from '../event-id.js'
import { GroupCommit } from '../group-commit.js'
import type { GroupCommitOptions } from '../group-commit.js'
import { KnownIds } from '../known-ids.js'
import type { AcceptedEvent, ReadableEventSink } from '../../../contracts/event-sink.js'
import { DEDUPLICATION_WINDOW } from '../../../contracts/event-sink.js'
import { EventCopy } from './copy.js'
import { sqlSinkCounts } from './counts.js'
import { sqlDeletion } from './delete.js'
import { INSERT, SELECT_KNOWN, parametersOf } from './insert.js'
import type { KnownRow, StoredRow } from './insert.js'
import { sqlList } from './list.js'
import { eventPartitions, isBusy } from './partitions.js'

/** Options of `sqlSink`. */
export interface SqlSinkOptions extends Pick<GroupCommitOptions, 'maxPending' | 'ackTimeout' | 'maxBatch'> {
  /** The clock for old ids, future partitions and the start of lists, epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

const KNOWN: KnownOptions<SqlSinkOptions> = { maxPending: true, ackTimeout: true, maxBatch: true, now: true }
/** Extra time before ids are deleted, milliseconds, for clock differences and events that are still queued. */
const GRACE = 60 * 60 * 1000

/**
 * Creates a sink that stores events in PGlite or PostgreSQL. It writes the events of many requests at once: PostgreSQL
 * receives them as COPY, which fails on a known id; then, and on PGlite, one statement writes the new events and drops
 * the duplicates. Each UTC day has a partition, which this function and `sweep` create days ahead, so the database role
 * must own the tables.
 *
 * @throws `INVALID_OPTIONS` for an unknown option
 *
 * @example
 * const database = await openDatabase({ url: 'postgres://app@localhost/app' })
 * app.register(eventSink, { sink: await sqlSink(database) })
 */
export async function sqlSink (database: Database, sinkOptions: SqlSinkOptions = {}): Promise<ReadableEventSink> {
  refuseUnknownMembers('sqlSink', '', sinkOptions, KNOWN)
  const { now = Date.now, ...options } = sinkOptions
  const { CompiledQuery } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')
  const { db, copy } = database
  const known = new KnownIds()
  /** Encoders that no flush uses at the moment. */
  const idleCopies: EventCopy[] = []
  const commit = new GroupCommit({ ...options, isDataError, flush, pools: database.pools })
  const partitions = await eventPartitions(database)
  const deletion = await sqlDeletion(database, partitions)
  const { counts, countDuplicates, close: closeCounts } = sqlSinkCounts(database)
  // While partitions are missing, events go to the default partition.
  await partitions.prepare(now()).catch((error: unknown) => {
    if (!isBusy(error)) throw error
  })

  /** Resolves with the number of duplicates. */
  async function flush (events: readonly AcceptedEvent[]): Promise<number> {
    const fresh = known.unknownOf(events)
    const rows = fresh.size === 0 || await copied(fresh) ? null : await inserted(fresh)
    const stored = rows === null ? fresh.size : rows.reduce((sum, row) => sum + row.events, 0)
    if (stored < events.length) countDuplicates(events, fresh.values(), rows)
    if (fresh.size === 0) return events.length
    // All events are stored; a failure only means that later duplicates need another query.
    if (stored === fresh.size) known.addAll(fresh)
    else await cacheIds(fresh).catch(() => {})
    return events.length - stored
  }

  /** Inserts the events; resolves with the numbers of new ones. */
  async function inserted (fresh: ReadonlyMap<string, AcceptedEvent>): Promise<StoredRow[]> {
    const { rows } = await db.executeQuery<StoredRow>(CompiledQuery.raw(INSERT, parametersOf(fresh)))
    return rows
  }

  /** Caches the ids with the time when they were first seen, as a duplicate does not extend the window. */
  async function cacheIds (fresh: ReadonlyMap<string, AcceptedEvent>): Promise<void> {
    const { rows } = await db.executeQuery<KnownRow>(CompiledQuery.raw(SELECT_KNOWN, [[...fresh.keys()].map(hexOfId)]))
    for (const { id: hex, since } of rows) {
      const id = idOfHex(hex)
      known.add(id, Number(since))
      const event = fresh.get(id)
      // For a new event, the id's time is the event's own `receivedAt`.
      if (event?.repeat === false && event.receivedAt !== Number(since)) event.repeat = true
    }
  }

  async function copied (fresh: ReadonlyMap<string, AcceptedEvent>): Promise<boolean> {
    if (copy === null) return false
    const rows = idleCopies.pop() ?? new EventCopy()
    try {
      await copy([rows.ids(fresh), rows.events(fresh.values()), rows.counts()])
      // Not reused after a failure: the connection may still hold its buffer.
      idleCopies.push(rows)
      return true
    } catch (error) {
      if (isDataError(error) || isDeadlock(error)) return false
      throw error
    }
  }

  return {
    write: (events) => commit.write(events),
    list: await sqlList(database, partitions, now),
    sweep: (signal) =>
      partitions.prepare(now()).finally(() =>
        deletion.deleteIds(now() - DEDUPLICATION_WINDOW - GRACE, () => isStopped(signal))
      ).finally(() => partitions.index(now(), () => isStopped(signal))).finally(() =>
        foldCounts(database, () => isStopped(signal))
      ),
    counts,
    expire: (before, signal) => deletion.expireEvents(before, () => isStopped(signal)),
    ready: () =>
      database.ready().catch((cause: unknown) => {
        throw new UNAVAILABLE({ cause })
      }),
    load: commit.load,
    async close () {
      await commit.close()
      await closeCounts()
    }
  }

  function isStopped (signal: AbortSignal | undefined): boolean {
    return commit.closed || signal?.aborted === true
  }
}

/** SQLSTATE classes 22 (data exception) and 23 (constraint violation) blame the data, not the backend. */
function isDataError (error: unknown): boolean {
  return /^2[23]/.test(sqlState(error))
}

/** Whether the statement deadlocked with another instance that writes the same ids. */
function isDeadlock (error: unknown): boolean {
  return sqlState(error) === '40P01'
}

function sqlState (error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}
export type { Database, Durability } from '../../../lib/database/open-database.js'
export type { GroupCommitOptions } from '../group-commit.js'
export type * from '../../../contracts/event-sink.js'
export type { PoolUsage, ReadPools } from '../../../contracts/backend-load.js'
