import type { Selectable } from 'kysely'

import { fromColumnText, toColumnText } from '../../../lib/database/column-text.js'
import { ListPage } from '../../../lib/database/list/page.js'
import type { RowRequest } from '../../../lib/database/list/page.js'
import type { Database } from '../../../lib/database/open-database.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { INVALID_REQUEST, UNAVAILABLE } from '../../../lib/errors.js'
import { importOptional } from '../../../lib/optional-package.js'
import type { Page, PageRequest } from '../../../contracts/token-store/index.js'
import type { AcceptedEvent, EventFilter, ReadableEventSink } from '../../../contracts/event-sink.js'
import type { EventPartitions, Partition } from './partitions.js'

const HOUR = 60 * 60 * 1000
const DAY = 24 * HOUR
/** Number of days in the first query, today included, and maximum number of days in a query. */
const FIRST_DAYS = 4
const MAX_DAYS = 32
const COLUMNS = ['seq', 'org_id', 'source_id', 'message_id', 'type', 'auth_method', 'received_at', 'timestamp', 'ip',
  'user_agent'] as const
const JSON_COLUMNS = ['payload', 'additions'] as const

/** Events received from `since`, inclusive, to `until`, exclusive; epoch milliseconds. */
interface Span {
  since: number
  until: number
}

/**
 * Lists the events of an organisation by `receivedAt`, newest first. A query over all days would lock all partitions,
 * thousands after some years, so it goes back a few days at a time until the page is full or its budget is spent.
 */
export async function sqlList (
  { lists, db }: Database,
  partitions: EventPartitions,
  now: () => number
): Promise<ReadableEventSink['list']> {
  const { sql } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')

  /** Returns the scan of one index: of the source, of the type, or of all events of the organisation. */
  function toScan (
    orgId: string,
    { sourceId, type, from, to }: EventFilter,
    { since, until }: Span,
    { before, scanLimit }: RowRequest
  ) {
    let rows = db.selectFrom('events').select([...COLUMNS, ...JSON_COLUMNS]).orderBy('received_at', 'desc').orderBy(
      'seq',
      'desc'
    ).limit(scanLimit)
    let condition = sql`org_id = ${orgId}`
    if (sourceId !== undefined) {
      rows = rows.where(keyOf('source_id'), '=', key(orgId, toColumnText(sourceId)))
      condition = sql`${condition} and source_id = ${toColumnText(sourceId)}`
    } else if (type !== undefined && type !== 'track') {
      // The second condition is the predicate of the partial index.
      rows = rows.where(keyOf('type'), '=', key(orgId, type)).where('type', '<>', sql.lit('track'))
    } else {
      rows = rows.where('org_id', '=', orgId)
    }
    if (type !== undefined) condition = sql`${condition} and type = ${type}`
    const first = Math.max(since, from ?? -Infinity)
    const last = Math.min(before?.timestamp ?? Infinity, to ?? Infinity)
    if (first !== -Infinity) rows = rows.where('received_at', '>=', new Date(first))
    if (last !== Infinity) rows = rows.where('received_at', '<=', new Date(last))
    if (until !== Infinity) rows = rows.where('received_at', '<', new Date(until))
    if (before !== null) {
      rows = rows.where((eb) =>
        eb(eb.refTuple('received_at', 'seq'), '<', eb.tuple(new Date(before.timestamp), String(before.sequence)))
      )
    }
    return { rows, filter: condition, time: 'received_at', columns: COLUMNS, jsonColumns: JSON_COLUMNS }
  }

  /** The expression that the indexes by source and by type use in place of the ids. */
  function keyOf (column: 'source_id' | 'type') {
    return sql<string>`hashtextextended(org_id || E'\n' || ${sql.ref(column)}, 0)`
  }

  function key (orgId: string, value: string) {
    return sql<string>`hashtextextended(${`${orgId}\n${value}`}::text, 0)`
  }

  let known = { day: -Infinity, until: -Infinity }

  /**
   * Resolves with the oldest day that has its own partition, cached for an hour; older events are in the last span,
   * which has no start. Does not count against the page's budget, so that each page reaches older days.
   */
  async function oldestDay (signal: AbortSignal | undefined): Promise<number | null> {
    if (now() < known.until) return known.day
    let tables: Partition[]
    try {
      tables = await lists.read((read) => partitions.list(read), signal)
    } catch (error) {
      if (signal?.aborted === true) return null
      throw error
    }
    known = { day: Math.min(...tables.map(({ since }) => since ?? Infinity)), until: now() + HOUR }
    return known.day
  }

  async function list (orgId: string, filter: EventFilter, request: PageRequest): Promise<Page<AcceptedEvent>> {
    const { from = -Infinity, to = Infinity, sourceId, type } = filter
    const page = new ListPage<EventRow>(
      lists,
      request,
      ({ received_at, seq }) => ({ timestamp: received_at.getTime(), sequence: Number(seq) })
    )
    const showsAll = type === undefined || (sourceId === undefined && type !== 'track')
    let span = firstSpan(Math.min(to, page.position?.timestamp ?? Infinity), now(), known.day)
    while (!await page.fill((rows) => toScan(orgId, filter, span, rows), { showsAll }) && span.since > from) {
      page.skipTo({ timestamp: Math.max(span.since, 0), sequence: 0 })
      const oldest = await oldestDay(request.signal)
      if (oldest === null) break
      span = spanBefore(span, oldest)
    }
    return page.page(toEvent)
  }

  return (orgId, filter, page) =>
    list(orgId, filter, page).catch((cause: unknown) => {
      throw cause instanceof INVALID_REQUEST ? cause : new UNAVAILABLE({ cause })
    })
}

/** Without an upper limit, the first span has no end, as a wrong clock may have stored events in the future. */
function firstSpan (to: number, now: number, oldest: number): Span {
  const day = Math.floor(Math.min(to, now) / DAY)
  const since = (day - FIRST_DAYS + 1) * DAY
  return { since: since <= oldest ? -Infinity : since, until: to < now ? (day + 1) * DAY : Infinity }
}

/** Doubles the number of days. The last span covers everything older than the oldest partition of a day. */
function spanBefore ({ since, until }: Span, oldest: number): Span {
  if (since <= oldest) return { since: -Infinity, until: since }
  const days = until === Infinity ? FIRST_DAYS : (until - since) / DAY
  return { since: Math.max(oldest, since - Math.min(MAX_DAYS, 2 * days) * DAY), until: since }
}

type EventRow =
  & Pick<
    Selectable<DatabaseSchema['events']>,
    | 'seq'
    | 'org_id'
    | 'source_id'
    | 'message_id'
    | 'type'
    | 'auth_method'
    | 'received_at'
    | 'timestamp'
    | 'ip'
    | 'user_agent'
  >
  & { payload: string, additions: string }

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
