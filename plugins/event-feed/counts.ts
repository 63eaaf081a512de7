import { LRUCache } from 'lru-cache'

import { atMost } from '../../lib/at-most.js'

/** Counters of one source since the process started. */
export interface SourceCounts {
  /** Number of stored events, including dropped duplicates. */
  accepted: number
  /** Number of refusals by error code: each event of a batch counts, other requests count once. */
  refused: Record<string, number>
  /** Events of bots, once there was one. `tagged` events are among the accepted; `dropped` events were not stored. */
  bots?: { tagged: number, dropped: number }
}

const MAX_ORGANISATIONS = 1_000
const MAX_SOURCES = 100

/** Counters by organisation and source. Keeps the most recently active ones, which bounds the memory. */
export class EventCounts {
  readonly #organisations = new LRUCache<string, LRUCache<string, SourceCounts>>(atMost(MAX_ORGANISATIONS))

  of (orgId: string, sourceId: string): SourceCounts {
    let sources = this.#organisations.get(orgId)
    if (sources === undefined) this.#organisations.set(orgId, sources = new LRUCache({ max: MAX_SOURCES }))
    let counts = sources.get(sourceId)
    if (counts === undefined) sources.set(sourceId, counts = { accepted: 0, refused: {} })
    return counts
  }

  /** Returns the counters of an organisation's sources, at most 100, the most recently active first. */
  * list (orgId: string): Generator<[sourceId: string, counts: SourceCounts]> {
    yield * this.#organisations.peek(orgId)?.entries() ?? []
  }
}
