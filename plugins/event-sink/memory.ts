import { INVALID_REQUEST, UNAVAILABLE } from '../errors.js'
import type { Page } from '../token-store/store.js'
import { RecentIds } from './recent-ids.js'
import type { AcceptedEvent, EventFilter, ReadableEventSink } from './sink.js'
import { eventIdentity } from './sink.js'

export interface MemorySinkOptions {
  /** Events kept; at capacity a write rejects with `UNAVAILABLE`, nothing is dropped. Default: 1 000 000. */
  capacity?: number
}

/** Keeps events in the process: for tests and for trying things. They are gone with it. */
export function memorySink ({ capacity = 1_000_000 }: MemorySinkOptions = {}): ReadableEventSink {
  const events: AcceptedEvent[] = []
  const recent = new RecentIds()

  return {
    async write (incoming) {
      if (events.length + incoming.length > capacity) throw new UNAVAILABLE({ reason: 'the memory sink is full' })
      for (const event of incoming) if (recent.add(eventIdentity(event), event.receivedAt)) events.push(event)
    },

    async list (orgId, filter, { cursor, limit }) {
      const page: Page<AcceptedEvent> = { data: [], nextCursor: null }
      for (let at = startOf(cursor, events.length) - 1; at >= 0; at--) {
        const event = events[at]
        if (event === undefined || !matches(event, orgId, filter)) continue
        if (page.data.length === limit) {
          page.nextCursor = String(at + 1)
          break
        }
        page.data.push(event)
      }
      return page
    },

    async ready () {},
    async close () {}
  }
}

function startOf (cursor: string | undefined, length: number): number {
  if (cursor === undefined) return length
  if (!/^\d{1,15}$/.test(cursor)) throw new INVALID_REQUEST({ message: 'The cursor is not valid' })
  return Math.min(Number(cursor), length)
}

function matches (event: AcceptedEvent, orgId: string, { sourceId, type, from, to }: EventFilter): boolean {
  return event.orgId === orgId &&
    (sourceId === undefined || event.sourceId === sourceId) &&
    (type === undefined || event.type === type) &&
    (from === undefined || event.receivedAt >= from) &&
    (to === undefined || event.receivedAt <= to)
}
