import type { CountFilter, CountPoint, CountReader, CountTotal, LatestCount } from '../../contracts/counts.js'
import type { EventSink } from '../../contracts/event-sink.js'

/** Selects counts of the events of an organisation's sources. */
export type EventCountFilter = Omit<CountFilter, 'kind'>

/** Reads the counts of events. */
export interface EventCounts {
  /** As `CountReader.series`: `accepted`, `deduplicated`, `bot` and `refused:<code>`. */
  series (orgId: string, filter: EventCountFilter, interval: 'hour' | 'day'): Promise<CountPoint[]>
  /** As `CountReader.totals`, by the id of the source. */
  totals (orgId: string, filter: EventCountFilter): Promise<CountTotal[]>
  /** Returns when the last accepted event of each source came, of one source if `id` is given. */
  latest (orgId: string, id?: string): Promise<LatestCount[]>
}

/** The outcomes that a sink with counts knows best. */
const OF_SINK: ReadonlySet<string> = new Set(['accepted', 'deduplicated'])

/**
 * Returns the reader of the counts of events: a sink with counts counts what it stores, and the token store has the
 * counts of the gateway. A gateway whose sink has no counts, such as JetStream, counts what the sink confirms.
 *
 * @example
 * const counts = eventCounts(app.tokenStore.counts, app.eventSink)
 * const [month] = await counts.totals(orgId, { id: sourceId, outcome: 'accepted', from, to })
 */
export function eventCounts (store: CountReader, sink: Pick<EventSink, 'counts'> | undefined): EventCounts {
  const stored = sink?.counts

  async function combined<Item extends { outcome: string }> (
    filter: EventCountFilter,
    read: (reader: CountReader, filter: CountFilter) => Promise<Item[]>
  ): Promise<Item[]> {
    if (stored === undefined) return await read(store, { ...filter, kind: 'source' })
    const { outcome } = filter
    const [ofSink, ofGateway] = await Promise.all([
      outcome === undefined || OF_SINK.has(outcome) ? read(stored, { ...filter, kind: 'stored' }) : [],
      outcome === undefined || !OF_SINK.has(outcome) ? read(store, { ...filter, kind: 'source' }) : []
    ])
    return [...ofSink, ...ofGateway.filter((item) => !OF_SINK.has(item.outcome))]
  }

  return {
    async series (orgId, filter, interval) {
      const points = await combined(filter, (reader, own) => reader.series(orgId, own, interval))
      return points.sort((a, b) => a.at - b.at || (a.outcome < b.outcome ? -1 : 1))
    },
    async totals (orgId, filter) {
      const totals = await combined(filter, (reader, own) => reader.totals(orgId, own))
      return totals.sort((a, b) => b.events - a.events)
    },
    latest (orgId, id) {
      const outcome = 'accepted'
      return stored === undefined
        ? store.latest(orgId, { kind: 'source', id, outcome })
        : stored.latest(orgId, { kind: 'stored', id, outcome })
    }
  }
}
