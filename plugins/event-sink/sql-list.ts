import type { Selectable } from 'kysely'

import { fromColumnText, toColumnText } from '../database/column-text.js'
import type { Database } from '../database/open-database.js'
import type { DatabaseSchema } from '../database/schema.js'
import { INVALID_REQUEST, UNAVAILABLE } from '../errors.js'
import { importOptional } from '../optional-package.js'
import type { Page, PageRequest } from '../token-store/store.js'
import type { AcceptedEvent, EventFilter, ReadableEventSink } from './sink.js'
import type { EventPartitions } from './sql-partitions.js'

const DAY = 24 * 60 * 60 * 1000
/** Days that are looked at first, today among them, and at most at a time. */
const FIRST_DAYS = 4
const MOST_DAYS = 32

/** The events that were received from `since`, inclusive, to `until`, exclusive; epoch milliseconds. */
interface Span { since: number, until: number }

/** Where to go on: below a place in a span. */
interface Position { seq: string, span: Span }

/**
 * The events of an organisation, newest first. A query over all days would lock the tables of all of them, thousands after some years:
 * so it goes back in time, some days at a time, until the page is full. Within these days the order is that in which the events were stored.
 */
export async function sqlList ({ db }: Database, partitions: EventPartitions, now: () => number): Promise<ReadableEventSink['list']> {
  const { sql } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')
  // As text: the driver's own JSON parser would lose what JavaScript numbers can't hold.
  const texts = [sql<string>`payload::text`.as('payload'), sql<string>`additions::text`.as('additions')] as const

  async function read (orgId: string, { sourceId, type, from, to }: EventFilter, { since, until }: Span, below: string | null, limit: number) {
    let query = db.selectFrom('events').where('org_id', '=', orgId).orderBy('seq', 'desc').limit(limit)
      .select(['seq', 'org_id', 'source_id', 'message_id', 'type', 'auth_method', 'received_at', 'timestamp', 'ip', 'user_agent', ...texts])
    if (since !== -Infinity) query = query.where('received_at', '>=', new Date(since))
    if (until !== Infinity) query = query.where('received_at', '<', new Date(until))
    if (below !== null) query = query.where('seq', '<', below)
    if (sourceId !== undefined) query = query.where('source_id', '=', toColumnText(sourceId))
    if (type !== undefined) query = query.where('type', '=', type)
    if (from !== undefined) query = query.where('received_at', '>=', new Date(from))
    if (to !== undefined) query = query.where('received_at', '<=', new Date(to))
    return await query.execute()
  }

  async function list (orgId: string, filter: EventFilter, { cursor, limit }: PageRequest): Promise<Page<AcceptedEvent>> {
    const { from = -Infinity, to = Infinity } = filter
    const start = cursor === undefined ? null : positionOf(cursor)
    const found: Array<{ row: EventRow, position: Position }> = []
    let oldest: number | null = null
    let below = start?.seq ?? null
    let span = start?.span ?? firstSpan(to, now())
    for (;;) {
      const rows = await read(orgId, filter, span, below, limit + 1 - found.length)
      for (const row of rows) found.push({ row, position: { seq: String(row.seq), span } })
      if (found.length > limit || span.since <= from) break
      oldest ??= oldestDay(await partitions.list(db))
      span = spanBefore(span, oldest)
      below = null
    }
    const last = found.length > limit ? found[limit - 1] : undefined
    return { data: found.slice(0, limit).map(({ row }) => toEvent(row)), nextCursor: last === undefined ? null : cursorOf(last.position) }
  }

  return (orgId, filter, page) => list(orgId, filter, page).catch((cause: unknown) => {
    throw cause instanceof INVALID_REQUEST ? cause : new UNAVAILABLE({ cause })
  })
}

/** A clock may have been wrong: where the newest are wanted, the first span has no end. */
function firstSpan (to: number, now: number): Span {
  const day = Math.floor(Math.min(to, now) / DAY)
  return { since: (day - FIRST_DAYS + 1) * DAY, until: to < now ? (day + 1) * DAY : Infinity }
}

/** Twice as many days as before; the last span has all that is older than the oldest day with a table of its own. */
function spanBefore ({ since, until }: Span, oldest: number): Span {
  if (since <= oldest) return { since: -Infinity, until: since }
  const days = until === Infinity ? FIRST_DAYS : (until - since) / DAY
  return { since: Math.max(oldest, since - Math.min(MOST_DAYS, 2 * days) * DAY), until: since }
}

function oldestDay (partitions: Awaited<ReturnType<EventPartitions['list']>>): number {
  return Math.min(...partitions.map(({ since }) => since ?? Infinity))
}

function cursorOf ({ seq, span: { since, until } }: Position): string {
  return [seq, since / DAY, until / DAY].join('.')
}

function positionOf (cursor: string): Position {
  const [, seq, since, until] = /^(\d{1,18})\.(-?\d{1,6}|-Infinity)\.(-?\d{1,6}|Infinity)$/.exec(cursor) ?? []
  if (seq === undefined) throw new INVALID_REQUEST({ message: 'The cursor is not valid' })
  return { seq, span: { since: Number(since) * DAY, until: Number(until) * DAY } }
}

type EventRow = Pick<Selectable<DatabaseSchema['events']>,
  'seq' | 'org_id' | 'source_id' | 'message_id' | 'type' | 'auth_method' | 'received_at' | 'timestamp' | 'ip' | 'user_agent'> & { payload: string, additions: string }

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
