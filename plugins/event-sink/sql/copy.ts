import { toColumnText } from '../../../lib/database/column-text.js'
import { CopyRows } from '../../../lib/database/copy-rows.js'
import { CountTable } from '../../../lib/counts/count-table.js'
import { subjectOf } from '../../../lib/database/counts/subject.js'
import type { CopyPart } from '../../../lib/database/postgres/pool-slice.js'
import { wordOfId } from '../event-id.js'
import { keysOf } from './keys.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'

const IDS = 'event_ids (id, seen_at)'
const EVENTS =
  'events (org_id, source_id, type, auth_method, ip, user_agent, received_at, message_id, "timestamp", payload, ' +
    'additions, message_key, event_key, user_key, anonymous_key)'
const COUNTS = 'count_deltas (org_id, subject, outcome, hour, events, bytes, last_at)'

/** Bytes of the length that precedes each field. */
const LENGTH_SIZE = 4

/**
 * Encodes events as rows to copy. The ids come first: a known id fails the whole copy before the server reads the
 * events. One object encodes one flush at a time and reuses its memory.
 */
export class EventCopy {
  readonly #ids = new CopyRows(2)
  readonly #events = new CopyRows(15)
  readonly #counts = new CopyRows(7)
  #table = new CountTable()
  /** Byte range of the fields that the last event starts with. */
  #start: [from: number, to: number] = [0, 0]

  /** Encodes the ids of events in a fixed order, so that two instances with the same ids cannot deadlock. */
  ids (events: ReadonlyMap<string, AcceptedEvent>): CopyPart {
    const ids = this.#ids
    ids.reset()
    const keys = [...events.keys()]
    const values = [...events.values()]
    for (const index of orderOf(keys)) {
      ids.row()
      ids.uuid(keys[index] as string)
      ids.time((values[index] as AcceptedEvent).receivedAt)
    }
    return { into: IDS, messages: ids.messages() }
  }

  events (events: Iterable<AcceptedEvent>): CopyPart {
    this.#events.reset()
    this.#table = new CountTable()
    let before: AcceptedEvent | null = null
    for (const event of events) {
      this.#addEvent(event, before)
      before = event
    }
    return { into: EVENTS, messages: this.#events.messages() }
  }

  /** Encodes the counts of the events that `events` has encoded: one row per source and hour. */
  counts (): CopyPart {
    const rows = this.#counts
    rows.reset()
    for (const { orgId, kind, id, outcome, hour, events, bytes, lastAt } of this.#table) {
      rows.row()
      rows.text(orgId)
      rows.text(subjectOf(kind, id))
      rows.text(outcome)
      rows.time(hour)
      rows.int8(events)
      rows.int8(bytes)
      rows.time(lastAt)
    }
    return { into: COUNTS, messages: rows.messages() }
  }

  #addEvent (event: AcceptedEvent, before: AcceptedEvent | null): void {
    const rows = this.#events
    rows.row()
    if (before !== null && haveSameStart(event, before)) rows.repeat(...this.#start)
    else {
      const start = rows.length
      rows.text(event.orgId)
      rows.text(event.sourceId)
      rows.text(event.type)
      rows.text(event.authMethod)
      rows.text(event.ip)
      rows.text(event.userAgent)
      this.#start = [start, rows.length]
    }
    rows.time(event.receivedAt)
    rows.text(toColumnText(event.messageId))
    rows.time(event.timestamp)
    const payloadAt = rows.length
    rows.text(event.payload)
    const bytes = rows.length - payloadAt - LENGTH_SIZE
    this.#table.add('stored', event.orgId, event.sourceId, 'accepted', event.receivedAt, 1, bytes)
    rows.text(event.additions)
    const keys = keysOf(event)
    rows.int2(keys.messageId)
    rows.int2(keys.event)
    rows.int2(keys.userId)
    rows.int2(keys.anonymousId)
  }
}

/** Whether two events start with the same fields, as those of one batch do. */
function haveSameStart (one: AcceptedEvent, other: AcceptedEvent): boolean {
  return one.sourceId === other.sourceId && one.type === other.type && one.authMethod === other.authMethod &&
    one.ip === other.ip &&
    one.userAgent === other.userAgent && one.orgId === other.orgId
}

/**
 * Factor that combines an event's index with the first 32 bits of its id in an exact number; exceeds any write's size.
 */
const INDEX_RANGE = 2 ** 21

/**
 * Returns the order of the ids by their first 32 bits, as their indexes, because sorting numbers takes a tenth of the
 * time of sorting strings. A deadlock between ids that share these bits is possible, but extremely unlikely; PostgreSQL
 * resolves it.
 */
function orderOf (ids: readonly string[]): Float64Array {
  const keys = new Float64Array(ids.length)
  for (const [index, id] of ids.entries()) keys[index] = wordOfId(id, 0) * INDEX_RANGE + index
  return keys.sort().map((key) => key % INDEX_RANGE)
}
