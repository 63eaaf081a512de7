import type { Selectable } from 'kysely'

import { fromColumnText } from '../../../lib/database/column-text.js'
import { ListPage } from '../../../lib/database/list/page.js'
import type { Database } from '../../../lib/database/open-database.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { INVALID_REQUEST, UNAVAILABLE } from '../../../lib/errors.js'
import type { Page, PageRequest } from '../../../contracts/token-store/index.js'
import type { AcceptedEvent, EventFilter, ReadableEventSink } from '../../../contracts/event-sink.js'
import { matchesSearch } from '../event-search.js'
import { eventScans, isSearch } from './list-scan.js'
import type { ScanKind, Span } from './list-scan.js'
import { lookupOf } from './lookup-index.js'
import type { LookupName } from './lookup-index.js'
import { commonTimes } from './common-times.js'
import type { EventPartitions, Partition } from './partitions.js'
import { searchWindows } from './search-window.js'

const DAY = 24 * 60 * 60 * 1000
/** How long the list of partitions is cached, milliseconds. */
const KNOWN_TIME = 10 * 60 * 1000
/** Number of days in the first query, today included, and maximum number of days in a query. */
const FIRST_DAYS = 4
const MAX_DAYS = 32
/** Most events are received this long after they happened, or earlier, milliseconds. */
const USUAL_DELAY = 60 * 60 * 1000

/**
 * Lists the events of an organisation by `receivedAt`, newest first. A query over all days would lock all partitions,
 * thousands after some years, so it goes back a few days at a time until the page is full or its budget is spent. A
 * search looks events up in the indexes of the days that have ended. In newer events it compares keys in an index.
 */
export async function sqlList (
  database: Database,
  partitions: EventPartitions,
  now: () => number
): Promise<ReadableEventSink['list']> {
  const { lists } = database
  const [scans, searchWindow, isCommonTime] = [await eventScans(database), await searchWindows(), await commonTimes()]
  const keyed = await database.db.selectFrom('event_keys').select('since').executeTakeFirst()
  /** Since when every event has keys, epoch milliseconds. */
  const keyedSince = keyed?.since.getTime() ?? Infinity

  let known: { oldest: number, partitions: Partition[], until: number } = {
    oldest: -Infinity,
    partitions: [],
    until: -Infinity
  }

  /**
   * Resolves with the partitions and the oldest day that has its own, cached for ten minutes; `null`: the client has
   * disconnected. Events older than the oldest day are in the last span, which has no start. Does not count against the
   * page's budget, so that each page reaches older days.
   */
  async function knownPartitions (signal: AbortSignal | undefined): Promise<typeof known | null> {
    if (now() < known.until) return known
    let tables: Partition[]
    try {
      tables = await lists.read((read) => partitions.list(read), signal)
    } catch (error) {
      if (signal?.aborted === true) return null
      throw error
    }
    known = {
      oldest: Math.min(...tables.map(({ since }) => since ?? Infinity)),
      partitions: tables.filter(({ since, until }) => (since ?? until) !== null),
      until: now() + KNOWN_TIME
    }
    return known
  }

  /** Resolves with the time until which all partitions have the index of a look-up. */
  async function indexedUntil (lookup: LookupName | null, signal: AbortSignal | undefined): Promise<number> {
    if (lookup === null) return -Infinity
    const { partitions: tables = [] } = await knownPartitions(signal) ?? {}
    const others = tables.filter(({ lookups }) => !lookups.includes(lookup))
    return tables.length === 0 ? -Infinity : Math.min(now(), ...others.map(({ since }) => since ?? -Infinity))
  }

  async function list (orgId: string, filter: EventFilter, request: PageRequest): Promise<Page<AcceptedEvent>> {
    const { from = -Infinity, to = Infinity, sourceId, type } = filter
    const searches = isSearch(filter)
    const page = new ListPage<EventRow>(
      lists,
      request,
      ({ received_at, seq }) => ({ timestamp: received_at.getTime(), sequence: Number(seq) })
    )
    const showsAll = !searches && (type === undefined || (sourceId === undefined && type !== 'track'))
    const matches = (row: EventRow) => matchesSearch(toEvent(row), filter)
    const lookup = lookupOf(filter)
    const lookupsUntil = await indexedUntil(lookup, request.signal)
    const [usualFrom, usualUntil] = lookup === 'timestamp' ? usualTimes(filter) : [Infinity, Infinity]
    /** The kinds of scans, each with the time from which it applies, the newest first. */
    const kinds: Array<[ScanKind, since: number]> = searches
      ? [
          ['keys', Math.max(lookupsUntil, keyedSince)],
          ['lookup', Math.max(usualUntil, keyedSince)],
          ['keys', Math.max(usualFrom, keyedSince)],
          ['lookup', keyedSince],
          ['plain', -Infinity]
        ]
      : [['plain', lookupsUntil], ['lookup', -Infinity]]

    /** Reads the rows of a span; resolves with whether the page is complete. */
    async function read (span: Span): Promise<boolean> {
      for (const [kind, start] of kinds) {
        if (span.until <= start) continue
        const since = Math.max(span.since, start)
        const part = { since, until: span.until }
        if (await (kind === 'keys' || (kind === 'lookup' && await isCommon(part)) ? search(part) : fill(kind, part))) {
          return true
        }
        if (since <= Math.max(span.since, from)) return false
        page.skipTo({ timestamp: since, sequence: 0 })
        span = { since: span.since, until: since }
      }
      return false
    }

    /** Whether many events of the span happened in the time of the filter, so that reading all of them takes long. */
    async function isCommon (span: Span): Promise<boolean> {
      return lookup === 'timestamp' && await page.query((db) => isCommonTime(db, orgId, filter, span)) !== false
    }

    function fill (kind: ScanKind, span: Span): Promise<boolean> {
      return page.fill((rows) => scans[kind](orgId, filter, span, rows), { showsAll, matches })
    }

    async function search (span: Span): Promise<boolean> {
      for (;;) {
        const window = await page.query((db) => searchWindow(db, orgId, filter, span, page.position))
        if (window === null) return true
        if (window === 'empty') return false
        if (await fill('keys', window)) return true
        if (window.since <= Math.max(span.since, from)) return false
        page.skipTo({ timestamp: window.since, sequence: 0 })
      }
    }

    let span = firstSpan(Math.min(to, page.position?.timestamp ?? Infinity), now(), known.oldest)
    while (!await read(span) && span.since > from) {
      page.skipTo({ timestamp: Math.max(span.since, 0), sequence: 0 })
      const partitions = await knownPartitions(request.signal)
      if (partitions === null) break
      span = spanBefore(span, partitions.oldest)
    }
    return page.page(toEvent)
  }

  return (orgId, filter, page) =>
    list(orgId, filter, page).catch((cause: unknown) => {
      throw cause instanceof INVALID_REQUEST ? cause : new UNAVAILABLE({ cause })
    })
}

/**
 * From when until when most events that happened in the time of the filter were received, epoch milliseconds. These
 * are found soon by reading the events in the order of the list; a look-up would have to sort them.
 */
function usualTimes ({ timestampFrom = -Infinity, timestampTo = Infinity }: EventFilter): [number, number] {
  return [timestampFrom - USUAL_DELAY, timestampTo + USUAL_DELAY]
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
