import type { Selectable } from 'kysely'

import { fromColumnText, toColumnText } from '../database/column-text.js'
import type { Database } from '../database/open-database.js'
import type { DatabaseSchema } from '../database/schema.js'
import { INVALID_REQUEST, UNAVAILABLE } from '../errors.js'
import { importOptional } from '../optional-package.js'
import { GroupCommit } from './group-commit.js'
import type { GroupCommitOptions } from './group-commit.js'

import type { Page, PageRequest } from '../token-store/store.js'
import type { AcceptedEvent, EventFilter, ReadableEventSink } from './sink.js'
import { DEDUPLICATION_WINDOW, eventIdentity } from './sink.js'

export interface SqlSinkOptions extends Pick<GroupCommitOptions, 'maxPending' | 'ackTimeout' | 'maxBatch'> {
  /** The clock by which old ids are forgotten, epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

/** Ids that one statement forgets, so that no write waits for long behind it. */
const FORGOTTEN_AT_ONCE = 5_000
/** Beyond the window, for clocks that differ and events that still wait to be written. */
const GRACE = 60 * 60 * 1000
/** In PostgreSQL no year is 0: the one before 1 is 1 BC. */
const YEAR_1 = Date.parse('0001-01-01')

// Ids are taken in one order, so that two instances with the same ids can't wait for each other in a ring.
const INSERT = `
WITH incoming AS (
  SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::text[]
  ) WITH ORDINALITY AS e (org_id, source_id, message_id, type, auth_method, received_at, "timestamp", ip, user_agent, payload, additions, n)
), fresh AS (
  INSERT INTO event_ids AS known (source_id, auth_method, message_id, seen_at)
  SELECT source_id, auth_method, message_id, received_at FROM incoming ORDER BY 1, 2, 3
  ON CONFLICT (source_id, auth_method, message_id) DO UPDATE SET seen_at = excluded.seen_at
    WHERE known.seen_at <= excluded.seen_at - $12::interval
  RETURNING source_id, auth_method, message_id
)
INSERT INTO events (org_id, source_id, message_id, type, auth_method, received_at, "timestamp", ip, user_agent, payload, additions)
SELECT org_id, source_id, message_id, type, auth_method, received_at, "timestamp", ip, user_agent, payload::json, additions::json
FROM incoming JOIN fresh USING (source_id, auth_method, message_id) ORDER BY n`

// An id that an insert is just renewing is left to it, and so are those that another instance forgets.
const FORGET = `
DELETE FROM event_ids WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM event_ids WHERE seen_at < $1::timestamptz ORDER BY seen_at LIMIT ${FORGOTTEN_AT_ONCE} FOR UPDATE SKIP LOCKED
))`

const WINDOW = `${DEDUPLICATION_WINDOW} milliseconds`

/** Keeps events in PGlite or PostgreSQL: the events of many requests go in one statement, which also drops the known ones. */
export async function sqlSink (database: Database, { now = Date.now, ...options }: SqlSinkOptions = {}): Promise<ReadableEventSink> {
  const { CompiledQuery, sql } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')
  const { db } = database
  const commit = new GroupCommit({
    ...options,
    isDataError,
    async flush (events) {
      await db.executeQuery(CompiledQuery.raw(INSERT, parametersOf(firstOfEach(events))))
    }
  })

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

  async function sweep (): Promise<void> {
    const forget = CompiledQuery.raw(FORGET, [toTimestamp(now() - DEDUPLICATION_WINDOW - GRACE)])
    let forgotten: bigint | undefined
    do {
      forgotten = (await db.executeQuery(forget)).numAffectedRows
    } while (!commit.closed && forgotten === BigInt(FORGOTTEN_AT_ONCE))
  }

  return {
    write: (events) => commit.write(events),
    list,
    sweep,
    ready: () => database.ready().catch((cause: unknown) => { throw new UNAVAILABLE({ cause }) }),
    close: () => commit.close()
  }
}

function firstOfEach (events: readonly AcceptedEvent[]): AcceptedEvent[] {
  const unique = new Map<string, AcceptedEvent>()
  for (const event of events) {
    const identity = eventIdentity(event)
    if (!unique.has(identity)) unique.set(identity, event)
  }
  return [...unique.values()]
}

function parametersOf (events: readonly AcceptedEvent[]): unknown[] {
  return [
    events.map((event) => event.orgId),
    events.map((event) => event.sourceId),
    events.map((event) => toColumnText(event.messageId)),
    events.map((event) => event.type),
    events.map((event) => event.authMethod),
    events.map((event) => toTimestamp(event.receivedAt)),
    events.map((event) => toTimestamp(event.timestamp)),
    events.map((event) => event.ip),
    events.map((event) => event.userAgent),
    events.map((event) => event.payload),
    events.map((event) => event.additions),
    WINDOW
  ]
}

function toTimestamp (milliseconds: number): string {
  const date = new Date(milliseconds)
  const iso = date.toISOString()
  if (milliseconds >= YEAR_1) return iso
  return `${String(1 - date.getUTCFullYear()).padStart(4, '0')}${iso.slice(iso.indexOf('-', 1))} BC`
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
function isDataError (error: unknown): boolean {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' && /^2[23]/.test(code)
}
