import type { Database } from '../../../lib/database/open-database.js'
import { UNAVAILABLE } from '../../../lib/errors.js'
import { refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import { importOptional } from '../../../lib/optional-package.js'
import { eventId, hexOfId, idOfHex } from '../event-id.js'
import { GroupCommit } from '../group-commit.js'
import type { GroupCommitOptions } from '../group-commit.js'
import { KnownIds } from '../known-ids.js'
import type { AcceptedEvent, ReadableEventSink } from '../../../contracts/event-sink.js'
import { DEDUPLICATION_WINDOW } from '../../../contracts/event-sink.js'
import { EventCopy } from './copy.js'
import { sqlDeletion } from './delete.js'
import { INSERT, SEEN, parametersOf } from './insert.js'
import type { SeenRow } from './insert.js'
import { sqlList } from './list.js'
import { eventPartitions, isBusy } from './partitions.js'

export interface SqlSinkOptions extends Pick<GroupCommitOptions, 'maxPending' | 'ackTimeout' | 'maxBatch'> {
  /** The clock by which old ids are forgotten, the tables of the days to come are made and lists begin with today, epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

const KNOWN: KnownOptions<SqlSinkOptions> = { maxPending: true, ackTimeout: true, maxBatch: true, now: true }
/** Beyond the window, for clocks that differ and events that still wait to be written. */
const GRACE = 60 * 60 * 1000

/**
 * Keeps events in PGlite or PostgreSQL. The events of many requests go to the database at once: PostgreSQL gets them as a COPY, which
 * fails where an id is known; then, and on PGlite, one statement writes the new ones and drops the known. Each UTC day of events has a
 * table of its own, made days ahead by this function and by `sweep`, so the role must own the tables.
 *
 * @throws `INVALID_OPTIONS` for an unknown option
 */
export async function sqlSink (database: Database, sinkOptions: SqlSinkOptions = {}): Promise<ReadableEventSink> {
  refuseUnknownMembers('sqlSink', '', sinkOptions, KNOWN)
  const { now = Date.now, ...options } = sinkOptions
  const { CompiledQuery } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')
  const { db, copy } = database
  const known = new KnownIds()
  /** What no flush uses just now. */
  const spare: EventCopy[] = []
  const commit = new GroupCommit({ ...options, isDataError: blamesData, flush })
  const partitions = await eventPartitions(database)
  const deletion = await sqlDeletion(database, partitions)
  // Until they are there events come to the default partition.
  await partitions.prepare(now()).catch((error: unknown) => { if (!isBusy(error)) throw error })

  async function flush (events: readonly AcceptedEvent[]): Promise<void> {
    const fresh = new Map<string, AcceptedEvent>()
    for (const event of events) {
      const id = eventId(event)
      if (!fresh.has(id) && !known.has(id, event.receivedAt)) fresh.set(id, event)
      else if (event.repeat === false) event.repeat = true
    }
    if (fresh.size === 0) return
    if (await copied(fresh) || await inserted(fresh)) for (const [id, { receivedAt }] of fresh) known.add(id, receivedAt)
    // All are stored: what can't be found out now is only asked for again.
    else await learn(fresh).catch(() => {})
  }

  /** Whether none of the events was known. */
  async function inserted (fresh: ReadonlyMap<string, AcceptedEvent>): Promise<boolean> {
    const { numAffectedRows } = await db.executeQuery(CompiledQuery.raw(INSERT, parametersOf(fresh)))
    return numAffectedRows === BigInt(fresh.size)
  }

  /** Remembers the ids from when they were seen first: a repeat does not make one known for longer. */
  async function learn (fresh: ReadonlyMap<string, AcceptedEvent>): Promise<void> {
    const { rows } = await db.executeQuery<SeenRow>(CompiledQuery.raw(SEEN, [[...fresh.keys()].map(hexOfId)]))
    for (const { id: hex, since } of rows) {
      const id = idOfHex(hex)
      known.add(id, Number(since))
      const event = fresh.get(id)
      // Of an event that was new the id is known since that event was received.
      if (event?.repeat === false && event.receivedAt !== Number(since)) event.repeat = true
    }
  }

  async function copied (fresh: ReadonlyMap<string, AcceptedEvent>): Promise<boolean> {
    if (copy === null) return false
    const rows = spare.pop() ?? new EventCopy()
    try {
      await copy([rows.ids(fresh), rows.events(fresh.values())])
      // Not after a failure: the connection may still hold what was to be sent.
      spare.push(rows)
      return true
    } catch (error) {
      if (blamesData(error) || isDeadlock(error)) return false
      throw error
    }
  }

  return {
    write: (events) => commit.write(events),
    list: await sqlList(database, partitions, now),
    sweep: (signal) => partitions.prepare(now()).finally(() => deletion.forgetIds(now() - DEDUPLICATION_WINDOW - GRACE, () => isOver(signal))),
    expire: (before, signal) => deletion.expireEvents(before, () => isOver(signal)),
    ready: () => database.ready().catch((cause: unknown) => { throw new UNAVAILABLE({ cause }) }),
    close: () => commit.close()
  }

  function isOver (signal: AbortSignal | undefined): boolean {
    return commit.closed || signal?.aborted === true
  }
}

/** Classes 22 (data exception) and 23 (constraint violation): the backend is well, the data is not. */
function blamesData (error: unknown): boolean {
  return /^2[23]/.test(sqlState(error))
}

/** With another instance that writes the same ids. */
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
