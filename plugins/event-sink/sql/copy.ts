import { toColumnText } from '../../../lib/database/column-text.js'
import { CopyRows } from '../../../lib/database/copy-rows.js'
import type { CopyPart } from '../../../lib/database/postgres/pool-slice.js'
import { wordOfId } from '../event-id.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'

const IDS = 'event_ids (id, seen_at)'
const EVENTS = 'events (org_id, source_id, type, auth_method, ip, user_agent, received_at, message_id, "timestamp", payload, additions)'

/**
 * Events as rows to copy. The ids go first: one that is known already fails the whole, before the events are even looked at. One
 * object serves one flush at a time, and its memory again the next.
 */
export class EventCopy {
  readonly #ids = new CopyRows(2)
  readonly #events = new CopyRows(11)
  /** Where the fields lie that the last event begins with. */
  #start: [from: number, to: number] = [0, 0]

  /** The ids of events, in one order, so that two instances with the same ids can't wait for each other in a ring. */
  ids (events: ReadonlyMap<string, AcceptedEvent>): CopyPart {
    const ids = this.#ids
    ids.reset()
    for (const [id, { receivedAt }] of inOrder([...events])) {
      ids.row()
      ids.uuid(id)
      ids.time(receivedAt)
    }
    return { into: IDS, messages: ids.messages() }
  }

  events (events: Iterable<AcceptedEvent>): CopyPart {
    this.#events.reset()
    let before: AcceptedEvent | null = null
    for (const event of events) {
      this.#addEvent(event, before)
      before = event
    }
    return { into: EVENTS, messages: this.#events.messages() }
  }

  #addEvent (event: AcceptedEvent, before: AcceptedEvent | null): void {
    const rows = this.#events
    rows.row()
    if (before !== null && beginAlike(event, before)) rows.repeat(...this.#start)
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
    rows.text(event.payload)
    rows.text(event.additions)
  }
}

/** Whether two events begin with the same fields, as those of one batch do. */
function beginAlike (one: AcceptedEvent, other: AcceptedEvent): boolean {
  return one.sourceId === other.sourceId && one.type === other.type && one.authMethod === other.authMethod && one.ip === other.ip &&
    one.userAgent === other.userAgent && one.orgId === other.orgId
}

/** Room for the place of an event beside the first 32 bits of its id in an exact number: no write has as many. */
const PLACES = 2 ** 21

/** By their first 32 bits, as numbers, which are sorted in a tenth of the time of texts. Two that share these bits are left to luck and the deadlock check. */
function * inOrder<Entry extends readonly [id: string, ...rest: unknown[]]> (entries: readonly Entry[]): Generator<Entry> {
  const keys = Float64Array.from(entries, ([id], place) => wordOfId(id, 0) * PLACES + place)
  for (const key of keys.sort()) yield entries[key % PLACES] as Entry
}
