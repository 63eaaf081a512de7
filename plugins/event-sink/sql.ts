import type { Selectable } from 'kysely'

import { fromColumnText, toColumnText } from '../database/column-text.js'
import type { Database } from '../database/open-database.js'
import type { DatabaseSchema } from '../database/schema.js'
import { INVALID_REQUEST, UNAVAILABLE } from '../errors.js'
import { importOptional } from '../optional-package.js'
import { eventId, hexOfId, idOfHex } from './event-id.js'
import { GroupCommit } from './group-commit.js'
import type { GroupCommitOptions } from './group-commit.js'
import { KnownIds } from './known-ids.js'
import type { Page, PageRequest } from '../token-store/store.js'
import type { AcceptedEvent, EventFilter, ReadableEventSink } from './sink.js'
import { DEDUPLICATION_WINDOW } from './sink.js'
import { EventCopy } from './sql-copy.js'
import { sqlDeletion } from './sql-delete.js'
import { INSERT, SEEN, parametersOf } from './sql-insert.js'
import type { SeenRow } from './sql-insert.js'
import { eventPartitions, isBusy } from './sql-partitions.js'

export interface SqlSinkOptions extends Pick<GroupCommitOptions, 'maxPending' | 'ackTimeout' | 'maxBatch'> {
  /** The clock by which old ids are forgotten and the tables of the days to come are made, epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

/** Beyond the window, for clocks that differ and events that still wait to be written. */
const GRACE = 60 * 60 * 1000

/**
 * Keeps events in PGlite or PostgreSQL. The events of many requests go to the database at once: PostgreSQL gets them as a COPY, which
 * fails where an id is known; then, and on PGlite, one statement writes the new ones and drops the known. Each UTC day of events has a
 * table of its own, made days ahead by this function and by `sweep`, so the role must own the tables.
 */
export async function sqlSink (database: Database, { now = Date.now, ...options }: SqlSinkOptions = {}): Promise<ReadableEventSink> {
  const { CompiledQuery, sql } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')
  const { db, copy } = database
  const known = new KnownIds()
  /** What no flush uses just now. */
  const spare: EventCopy[] = []
  const commit = new GroupCommit({ ...options, isDataError: blamesData, flush })
  const partitions = await eventPartitions(database)
  const deletion = await sqlDeletion(database, partitions, () => commit.closed)
  // Until they are there events come to the default partition.
  await partitions.prepare(now()).catch((error: unknown) => { if (!isBusy(error)) throw error })

  async function flush (events: readonly AcceptedEvent[]): Promise<void> {
    const fresh = new Map<string, AcceptedEvent>()
    for (const event of events) {
      const id = eventId(event)
      if (!fresh.has(id) && !known.has(id, event.receivedAt)) fresh.set(id, event)
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
    for (const { id, since } of rows) known.add(idOfHex(id), Number(since))
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

  // As text: the driver's own JSON parser would lose what JavaScript numbers can't hold.
  const texts = [sql<string>`payload::text`.as('payload'), sql<string>`additions::text`.as('additions')] as const

  async function list (orgId: string, { sourceId, type, from, to }: EventFilter, { cursor, limit }: PageRequest): Promise<Page<AcceptedEvent>> {
    let query = db.selectFrom('events').where('org_id', '=', orgId).orderBy('seq', 'desc').limit(limit + 1)
      .select(['seq', 'org_id', 'source_id', 'message_id', 'type', 'auth_method', 'received_at', 'timestamp', 'ip', 'user_agent', ...texts])
    if (cursor !== undefined) query = query.where('seq', '<', positionOf(cursor))
    if (sourceId !== undefined) query = query.where('source_id', '=', toColumnText(sourceId))
    if (type !== undefined) query = query.where('type', '=', type)
    if (from !== undefined) query = query.where('received_at', '>=', new Date(from))
    if (to !== undefined) query = query.where('received_at', '<=', new Date(to))
    const rows = await query.execute().catch((cause: unknown) => { throw new UNAVAILABLE({ cause }) })
    const last = rows.length > limit ? rows[limit - 1] : undefined
    return { data: rows.slice(0, limit).map(toEvent), nextCursor: last === undefined ? null : String(last.seq) }
  }

  return {
    write: (events) => commit.write(events),
    list,
    sweep: () => partitions.prepare(now()).finally(() => deletion.forgetIds(now() - DEDUPLICATION_WINDOW - GRACE)),
    expire: (before) => deletion.expireEvents(before),
    ready: () => database.ready().catch((cause: unknown) => { throw new UNAVAILABLE({ cause }) }),
    close: () => commit.close()
  }
}

function positionOf (cursor: string): string {
  if (!/^\d{1,18}$/.test(cursor)) throw new INVALID_REQUEST({ message: 'The cursor is not valid' })
  return cursor
}

type EventRow = Pick<Selectable<DatabaseSchema['events']>,
  'org_id' | 'source_id' | 'message_id' | 'type' | 'auth_method' | 'received_at' | 'timestamp' | 'ip' | 'user_agent'> & { payload: string, additions: string }

function toEvent (row: EventRow): AcceptedEvent {
  return {
    orgId: row.org_id,
    sourceId: row.source_id,
    messageId: fromColumnText(row.message_id),
    type: row.type,
    authMethod: row.auth_method,
    receivedAt: row.received_at.getTime(),
    timestamp: row.timestamp.getTime(),
    ip: row.ip,
    userAgent: row.user_agent,
    payload: row.payload,
    additions: row.additions
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
