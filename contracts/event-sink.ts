import type { EventType } from '../schemas/event.js'
import type { ReadPools } from './backend-load.js'
import type { SinkCounts } from './counts.js'
import type { Page, PageRequest } from './token-store/index.js'

export type * from './counts.js'
export { EVENT_TYPES } from '../schemas/event.js'
export type { EventType } from '../schemas/event.js'

export type AuthMethod = 'key' | 'signature'

/** An accepted event that is ready to be stored: the client's JSON and the fields that the server adds. */
export interface AcceptedEvent {
  orgId: string
  sourceId: string
  /** Identifies the event for 24 hours, together with `sourceId` and `authMethod`. 1 to 100 characters. */
  messageId: string
  type: EventType
  authMethod: AuthMethod
  /** When the server received the event, epoch milliseconds. */
  receivedAt: number
  /** When the event happened according to the client, epoch milliseconds. */
  timestamp: number
  /** The client's address, `trustProxy` applied. Empty if the client disconnected before its request was read. */
  ip: string
  userAgent: string | null
  /** The event's JSON as the client sent it. */
  payload: string
  /** A JSON object that the server adds: on reading, its properties replace or extend those of `payload`. */
  additions: string
  /** Whether a bot sent the event. Readers find it in `context.bot`; a sink does not have to store it. */
  bot?: boolean
  /**
   * Set to `false`, it asks the sink whether the event was stored before. A sink that finds a duplicate sets `true`
   * before `write` resolves; a sink that cannot tell leaves the value. Never stored.
   */
  repeat?: boolean
  /** The properties that events are found by, so that a sink need not parse `payload`. Never stored. */
  search?: EventSearch
}

/** Properties of the canonical event that a list can be filtered by; `null` if absent or not a string. */
export interface EventSearch {
  /** The name of the event. */
  event: string | null
  userId: string | null
  anonymousId: string | null
}

/** How long a repeated event counts as a duplicate, milliseconds. */
export const DEDUPLICATION_WINDOW = 24 * 60 * 60 * 1000

/** Counters of a sink since its creation, for metrics. Each property is read when it is needed. */
export interface SinkLoad {
  /** Number of events that are not confirmed yet. */
  readonly pending: number
  /** Number of events that were stored. An event whose confirmation was lost is not counted. */
  readonly stored: number
  /** Number of events that were dropped as duplicates. */
  readonly duplicates: number
  /** The pools of the sink's database. */
  readonly pools?: ReadPools | undefined
}

/** Stores accepted events. Pass an implementation to the `eventSink` plugin. */
export interface EventSink {
  /**
   * Resolves when every event is durable or a known duplicate (same source, auth method and messageId within 24 hours).
   * Rejects with `UNAVAILABLE` when the backend does not confirm in time; a retry of the caller is deduplicated.
   */
  write (events: readonly AcceptedEvent[]): Promise<void>
  /** Resolves when the backend responds. */
  ready (): Promise<void>
  /**
   * Deletes message ids that are older than the deduplication window; the `eventSink` plugin calls it periodically.
   * Stops early when `signal` aborts and keeps the work done so far. Only for sinks that store message ids.
   */
  sweep? (signal?: AbortSignal): Promise<void>
  /**
   * Deletes the events received before `before`, epoch milliseconds; the `eventSink` plugin calls it periodically when
   * its `retention` option is finite. Stops early when `signal` aborts, as `sweep` does.
   */
  expire? (before: number, signal?: AbortSignal): Promise<void>
  /**
   * The numbers of stored events and duplicates by source and hour. Those of stored events are as durable as the
   * events: each event is counted exactly once. A sink that wraps another sink passes them on. Without them the
   * gateway counts what `write` confirms, and a duplicate counts as accepted.
   */
  readonly counts?: SinkCounts
  /** Counters for metrics. A sink that wraps another sink passes them on. */
  readonly load?: SinkLoad
  /**
   * Flushes the pending events, then releases what the sink opened itself. Never waits forever for a hung backend. A
   * second call does nothing.
   */
  close (): Promise<void>
}

/** Selects stored events; a property that is left out matches every event. */
export interface EventFilter {
  sourceId?: string | undefined
  type?: EventType | undefined
  /** Earliest `receivedAt`, epoch milliseconds, inclusive. */
  from?: number | undefined
  /** Latest `receivedAt`, epoch milliseconds, inclusive. */
  to?: number | undefined
  /** These four match the whole string, exactly. */
  messageId?: string | undefined
  event?: string | undefined
  userId?: string | undefined
  anonymousId?: string | undefined
  /** Earliest `timestamp`, epoch milliseconds, inclusive. */
  timestampFrom?: number | undefined
  /** Latest `timestamp`, epoch milliseconds, inclusive. */
  timestampTo?: number | undefined
}

/** An event sink that can also list its events: the memory and SQL sinks can, a message broker cannot. */
export interface ReadableEventSink extends EventSink {
  /** Lists the stored events of an organisation by `receivedAt`, newest first. A page may end early, see `Page`. */
  list (orgId: string, filter: EventFilter, page: PageRequest): Promise<Page<AcceptedEvent>>
}

/**
 * Returns whether a sink can list its events.
 *
 * @example
 * if (isReadable(app.eventSink)) page = await app.eventSink.list(orgId, {}, { limit: 50 })
 */
export function isReadable (sink: EventSink): sink is ReadableEventSink {
  return typeof (sink as Partial<ReadableEventSink>).list === 'function'
}
