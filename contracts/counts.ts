/**
 * The subject of a count. `stored`: events of a source that the event sink stored. `source`: the other events of a
 * source, as the gateway saw them. `embed`: credentials of an embedded product. `admin`: logins of administrators.
 */
export type CountKind = 'stored' | 'source' | 'embed' | 'admin'

/** How many events of one kind had one outcome within one hour. */
export interface Count {
  orgId: string
  kind: CountKind
  /** The id of the source, or the name of the product; empty for `admin`. */
  id: string
  /** `accepted`, `deduplicated`, `bot`, `minted`, `refused:ORIGIN_NOT_ALLOWED`, … Never a string of a client. */
  outcome: string
  /** The start of the hour, UTC, epoch milliseconds. */
  hour: number
  events: number
  /** Bytes of the events' JSON, as UTF-8; 0 where bytes are not counted. */
  bytes: number
  /** When the last of the events came, epoch milliseconds. */
  lastAt: number
}

/** Selects counts of an organisation. */
export interface CountFilter {
  kind: CountKind
  /** The id of one source, or the name of one product. Default: all. */
  id?: string | undefined
  outcome?: string | undefined
  /** Epoch milliseconds. The hour that contains this time is the first. */
  from: number
  /** Epoch milliseconds, exclusive. The hour that contains the millisecond before this time is the last. */
  to: number
}

/** The sum of the counts of one outcome in one hour or day. */
export interface CountPoint {
  /** The start of the hour or UTC day, epoch milliseconds. */
  at: number
  outcome: string
  events: number
  bytes: number
}

/** The sum of the counts of one source or product with one outcome. */
export interface CountTotal {
  id: string
  outcome: string
  events: number
  bytes: number
  /** Epoch milliseconds. */
  lastAt: number
}

/** When the last event of a source, or the last credential of a product, came. */
export interface LatestCount {
  id: string
  /** Epoch milliseconds. */
  lastAt: number
}

/** Reads counts. What `add` or a write has confirmed is in the next result. */
export interface CountReader {
  /** Returns sums by hour or UTC day, in order of time, then outcome. Hours and days without events are left out. */
  series (orgId: string, filter: CountFilter, interval: 'hour' | 'day'): Promise<CountPoint[]>
  /** Returns sums by id and outcome, the largest first; at most 10 000. */
  totals (orgId: string, filter: CountFilter): Promise<CountTotal[]>
  /** Returns the ids with an outcome at any time that is kept, the latest first; at most 1 000. */
  latest (orgId: string, filter: Pick<CountFilter, 'kind' | 'id'> & { outcome: string }): Promise<LatestCount[]>
}

/** Counts that last, by hour. */
export interface Counts extends CountReader {
  /** Adds numbers to those of the same organisation, kind, id, outcome and hour; all or none. */
  add (counts: readonly Count[]): Promise<void>
}

/** Counts what happens now. The numbers are stored about once a second; a process that is killed loses the rest. */
export interface OutcomeCounts {
  /**
   * Adds to the counts of the current hour. Never throws. `outcome` must be one of few strings, none from a client.
   * Default of `events`: 1; of `bytes`: 0.
   */
  add (
    kind: Exclude<CountKind, 'stored'>, orgId: string, id: string, outcome: string, events?: number, bytes?: number
  ): void
  /** Stores what has been added. Resolves also if the store fails; the numbers are then kept and stored later. */
  flush (): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Counts what happens now, in `tokenStore.counts`. */
    outcomeCounts: OutcomeCounts
  }
}

/** The counts of an event sink: of the kind `stored`, with the outcomes `accepted` and `deduplicated`. */
export interface SinkCounts extends CountReader {
  /** Deletes the counts of hours that ended before `before`, epoch milliseconds. */
  expire (before: number): Promise<void>
}
