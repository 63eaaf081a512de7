import { INVALID_REQUEST, UNAVAILABLE } from '../../../lib/errors.js'
import { refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import { PAGE_BYTES, PAGE_ROWS } from '../../../lib/database/list/budget.js'
import { MemoryCounts } from '../../../lib/counts/memory-counts.js'
import { EventLog } from './event-log.js'
import { IdTable } from './id-table.js'
import { matchesFilter } from '../event-search.js'
import type { AcceptedEvent, ReadableEventSink } from '../../../contracts/event-sink.js'
import { DEDUPLICATION_WINDOW } from '../../../contracts/event-sink.js'

/** Options of `memorySink`. */
export interface MemorySinkOptions {
  /** Maximum number of events; a full sink rejects writes with `UNAVAILABLE` and drops nothing. Default: 1 000 000. */
  capacity?: number
}

const KNOWN: KnownOptions<MemorySinkOptions> = { capacity: true }

/**
 * Creates a sink that keeps events in memory, for tests and experiments. They are lost when the process ends. Throws
 * `INVALID_OPTIONS` for an unknown option.
 *
 * @example
 * app.register(eventSink, { sink: memorySink({ capacity: 10_000 }) })
 */
export function memorySink (options: MemorySinkOptions = {}): ReadableEventSink {
  refuseUnknownMembers('memorySink', '', options, KNOWN)
  const { capacity = 1_000_000 } = options
  const log = new EventLog()
  const ids = new IdTable()
  const counts = new MemoryCounts()
  let closed = false
  const load = { pending: 0, stored: 0, duplicates: 0 }

  /** Stores an event, unless it is a duplicate. */
  function store (event: AcceptedEvent): void {
    const { orgId, sourceId, authMethod, messageId, receivedAt, payload } = event
    const hash = ids.hash(messageId)
    const slot = ids.slot(hash, (number) => {
      if (number < log.first) return false
      const other = log.get(number)
      return other.messageId === messageId && other.sourceId === sourceId && other.authMethod === authMethod
    })
    const before = ids.at(slot)
    if (before !== null && receivedAt - log.receivedAt(before) < DEDUPLICATION_WINDOW) {
      if (event.repeat === false) event.repeat = true
      counts.table.add('stored', orgId, sourceId, 'deduplicated', receivedAt, 1, 0)
      load.duplicates++
      return
    }
    ids.set(slot, hash, log.end, log.first)
    log.append(event)
    counts.table.add('stored', orgId, sourceId, 'accepted', receivedAt, 1, Buffer.byteLength(payload))
    load.stored++
  }

  return {
    async write (events) {
      if (closed && events.length > 0) throw new UNAVAILABLE({ reason: 'the event sink is closed' })
      if (log.end - log.first + events.length > capacity) throw new UNAVAILABLE({ reason: 'the memory sink is full' })
      for (const event of events) store(event)
    },

    async list (orgId, filter, { cursor, limit }) {
      const { from = -Infinity, to = Infinity } = filter
      const data: AcceptedEvent[] = []
      const start = startOf(cursor, log.end)
      let bytes = 0
      for (let number = start - 1; number >= log.first; number--) {
        if (start - number > PAGE_ROWS || bytes >= PAGE_BYTES) return { data, nextCursor: String(number + 1) }
        if (!(log.receivedAt(number) >= from && log.receivedAt(number) <= to)) continue
        const event = log.get(number)
        if (event.orgId !== orgId || !matchesFilter(event, filter)) continue
        if (data.length === limit) return { data, nextCursor: String(number + 1) }
        data.push(event)
        bytes += event.payload.length + event.additions.length
      }
      return { data, nextCursor: null }
    },

    async expire (before) {
      let number = log.first
      while (number < log.end && log.receivedAt(number) < before) number++
      log.dropBefore(number)
    },

    async ready () {},
    counts,
    load,
    async close () { closed = true }
  }
}

function startOf (cursor: string | undefined, end: number): number {
  if (cursor === undefined) return end
  if (!/^\d{1,15}$/.test(cursor)) throw new INVALID_REQUEST({ message: 'The cursor is not valid' })
  return Math.min(Number(cursor), end)
}
