import { LRUCache } from 'lru-cache'

/** What became of the events of one source since the process started. */
export interface SourceCounts {
  /** Events that are stored, repeats that were dropped as known included. */
  accepted: number
  /** By code: events of a batch one by one, of anything else the request. */
  refused: Record<string, number>
  /** Events of bots, once there was one: `tagged` are among the accepted, `dropped` were acknowledged and not stored. */
  bots?: { tagged: number, dropped: number }
}

const MAX_ORGANISATIONS = 1_000
const MAX_SOURCES = 100

/** Counts by organisation and source: the sources last heard of, so that they take no more memory as time goes by. */
export class EventCounts {
  readonly #organisations = new LRUCache<string, LRUCache<string, SourceCounts>>({ max: MAX_ORGANISATIONS })

  of (orgId: string, sourceId: string): SourceCounts {
    let sources = this.#organisations.get(orgId)
    if (sources === undefined) this.#organisations.set(orgId, sources = new LRUCache({ max: MAX_SOURCES }))
    let counts = sources.get(sourceId)
    if (counts === undefined) sources.set(sourceId, counts = { accepted: 0, refused: {} })
    return counts
  }

  /** Of the sources of an organisation, at most 100, the one last heard of first. */
  * list (orgId: string): Generator<[sourceId: string, counts: SourceCounts]> {
    yield * this.#organisations.peek(orgId)?.entries() ?? []
  }
}
