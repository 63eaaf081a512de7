import type { EventType } from '../../schemas/event.js'
import type { Page, PageRequest } from '../page.js'

export type { EventType }

/** How long refused events are kept by default, milliseconds: 7 days. */
export const REFUSED_RETENTION = 604_800_000

/** A request or an event of a batch that was refused after its source was known. */
export interface RefusedEvent {
  /** `ref_…`. The caller generates it. */
  id: string
  orgId: string
  sourceId: string
  /** The error code that the client received. */
  code: string
  /** Which check failed, for the administrators of the source. Never contains a credential. */
  reason: string
  /** The `Origin` header; `null` without one. */
  origin: string | null
  /** The client's address; empty if unknown. */
  ip: string
  userAgent: string | null
  /** The path of the request; the values of its query are masked. */
  path: string
  contentType: string | null
  /** Whether a signature of the request was verified. */
  signed: boolean
  /** The type, the name and the `messageId` of the event; `null` if absent or unreadable, and for several events. */
  type: string | null
  event: string | null
  messageId: string | null
  /** Epoch milliseconds. */
  receivedAt: number
  /** Bytes of `payload` in UTF-8. */
  bytes: number
  /** The body as text, decompressed, without the pipeline key; the JSON of the event for a pixel. */
  payload: string
  /** Whether the end of the body is missing. */
  truncated: boolean
  /** The further values that a replay needs; `null` if the event cannot be replayed. */
  replay: RefusedReplay | null
  /** When its events were stored by a replay, epoch milliseconds; `null`: never. */
  replayedAt: number | null
}

/** Values of a refused request that its events need when they are accepted later. */
export interface RefusedReplay {
  /** The content of `payload`: one event, the body of a batch, or the delivery of a webhook before its mapping. */
  form: 'event' | 'batch' | 'delivery'
  /** The type that the path names; `null` if the event names it. */
  type: EventType | null
  /** Whether the route is an image, whose types the source allows separately. */
  pixel: boolean
  /** Whether the route accepts only signed events. */
  requiresSignature: boolean
  /** The id of the named key that the request had; `null` for the key without a name, and on routes of webhooks. */
  keyId: string | null
  /** The webhook that received the delivery; `null` on other routes. */
  webhookId: string | null
  /** Whether the browser of a page sent the request, so that its user agent shows whether it is a bot. */
  fromPage: boolean
  /** The id in the visitor's cookie; `null` without one. */
  visitorId: string | null
  /** The digest from which events of a signed request get their `messageId`; `null` for an unsigned request. */
  signatureDigest: string | null
  /** The index of the first event in its request. */
  index: number
  /** The headers that the mapping of a webhook reads. */
  headers: Record<string, string>
}

/** Selects refused events; a property that is left out matches every event. */
export interface RefusedEventFilter {
  sourceId?: string | undefined
  code?: string | undefined
  origin?: string | undefined
  type?: string | undefined
  messageId?: string | undefined
  /** Whether the event was replayed. */
  replayed?: boolean | undefined
  /** Earliest `receivedAt`, epoch milliseconds, inclusive. */
  from?: number | undefined
  /** Latest `receivedAt`, epoch milliseconds, inclusive. */
  to?: number | undefined
}

/** The maximum size of the refused events of one source. */
export interface RefusedEventLimits {
  /** Maximum number of refused events. */
  maxRows: number
  /** Maximum sum of their `bytes`. */
  maxBytes: number
}

/** An event that one caller may replay until its claim ends. */
export interface ClaimedEvent {
  event: RefusedEvent
  /** Whether the event was claimed before: that caller may have stored its events. */
  again: boolean
}

/** The refused events of sources, which are kept for a while. Deleting a source deletes them. */
export interface RefusedEvents {
  /**
   * Adds events. Leaves out events that are stored already, and events whose source does not exist. Then deletes the
   * oldest events of each source beyond `limits`.
   */
  append (events: readonly RefusedEvent[], limits: RefusedEventLimits): Promise<void>
  /** Resolves with one refused event of the organisation. */
  get (orgId: string, id: string): Promise<RefusedEvent | null>
  /** Lists the refused events of an organisation by `receivedAt`, newest first. */
  list (orgId: string, filter: RefusedEventFilter, page: PageRequest): Promise<Page<RefusedEvent>>
  /** Deletes a refused event; `false` if the organisation has no such event. */
  delete (orgId: string, id: string): Promise<boolean>
  /**
   * Claims the events for a replay, for `lease` milliseconds: concurrent calls, on all instances, never return the same
   * event. Leaves out events that were replayed or that are claimed. `claim` is a new random string.
   */
  claim (orgId: string, ids: readonly string[], options: { claim: string, lease: number }): Promise<ClaimedEvent[]>
  /** Marks events as replayed; their other properties stay. An event that was replayed keeps its `replayedAt`. */
  settle (orgId: string, ids: readonly string[]): Promise<void>
  /** Ends the claim of the events that are still claimed with `claim` and not replayed. */
  release (orgId: string, claim: string): Promise<void>
}
