import type { EventType } from '../schemas/event.js'
import type { Page, PageRequest } from './token-store/index.js'

export { EVENT_TYPES } from '../schemas/event.js'
export type { EventType } from '../schemas/event.js'

export type AuthMethod = 'key' | 'signature'

/** An accepted event, ready to be stored: its text as it came, and beside it what the server says of it. */
export interface AcceptedEvent {
  orgId: string
  sourceId: string
  /** With `sourceId` and `authMethod`, what makes an event the same event for 24 hours. 1 to 100 characters. */
  messageId: string
  type: EventType
  authMethod: AuthMethod
  /** Epoch milliseconds. */
  receivedAt: number
  /** When the client says it happened, epoch milliseconds. */
  timestamp: number
  /** Of the client; proxy-aware. Empty for one that had gone before its request was read. */
  ip: string
  userAgent: string | null
  /** The JSON text of the event as the client sent it. */
  payload: string
  /** JSON text of an object whose members replace or add to the payload's on reading: what the server filled in. */
  additions: string
  /** Whether a bot sent it; readers learn it from `context.bot`, and no sink has to store it. */
  bot?: boolean
  /**
   * `false`: the caller asks whether the event was stored before. A sink that finds out that it was sets `true` before its write resolves;
   * a sink that cannot tell leaves it. Never stored.
   */
  repeat?: boolean
}

/** For how long an event is the same event as one before, milliseconds. */
export const DEDUPLICATION_WINDOW = 24 * 60 * 60 * 1000

export interface EventSink {
  /**
   * Resolves when every event is durable, or known from before (same source, auth method and messageId within 24 hours). Rejects
   * with `UNAVAILABLE` when it can't say so in time; the caller's retry is then deduplicated.
   */
  write (events: readonly AcceptedEvent[]): Promise<void>
  /** Resolves when the backend answers. */
  ready (): Promise<void>
  /**
   * Forgets ids beyond the window; the eventSink plugin calls it from time to time. Ends early on the signal, with what is done by then. Only for
   * sinks that keep them.
   */
  sweep? (signal?: AbortSignal): Promise<void>
  /**
   * Deletes the events that were received before a time, epoch milliseconds; the eventSink plugin calls it where events are kept for a time
   * only. Ends early on the signal, as `sweep` does.
   */
  expire? (before: number, signal?: AbortSignal): Promise<void>
  /** Flushes what waits, then releases what the sink opened itself; does not wait for ever for a backend that hangs. */
  close (): Promise<void>
}

export interface EventFilter {
  sourceId?: string | undefined
  type?: EventType | undefined
  /** By `receivedAt`, epoch milliseconds, inclusive. */
  from?: number | undefined
  to?: number | undefined
}

/** A sink that can be read from: memory and SQL are; a broker is not. */
export interface ReadableEventSink extends EventSink {
  /** The stored events of an organisation by when they were received, newest first. A page may end early, as `Page` says. */
  list (orgId: string, filter: EventFilter, page: PageRequest): Promise<Page<AcceptedEvent>>
}

export function isReadable (sink: EventSink): sink is ReadableEventSink {
  return typeof (sink as Partial<ReadableEventSink>).list === 'function'
}
