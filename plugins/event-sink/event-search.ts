import type { AcceptedEvent, EventFilter, EventSearch } from '../../contracts/event-sink.js'

/**
 * Returns the properties that events are found by: those that `viewEvent` shows. The gateway sets them; those of other
 * events are read from their JSON.
 */
export function searchOf ({ search, payload, additions }: AcceptedEvent): EventSearch {
  if (search !== undefined) return search
  const [sent, added] = [parse(payload), parse(additions)]
  const read = (name: keyof EventSearch) => {
    const value = Object.hasOwn(added, name) ? added[name] : sent[name]
    return typeof value === 'string' ? value : null
  }
  return { event: read('event'), userId: read('userId'), anonymousId: read('anonymousId') }
}

/** Whether an event of an organisation's list matches the filter, apart from `from` and `to`. */
export function matchesFilter (event: AcceptedEvent, filter: EventFilter): boolean {
  const { sourceId, type, messageId, timestampFrom = -Infinity, timestampTo = Infinity } = filter
  return (sourceId === undefined || event.sourceId === sourceId) &&
    (type === undefined || event.type === type) &&
    (messageId === undefined || event.messageId === messageId) &&
    event.timestamp >= timestampFrom && event.timestamp <= timestampTo &&
    matchesSearch(event, filter)
}

/** Whether the properties in the JSON of an event match the filter. */
export function matchesSearch (event: AcceptedEvent, filter: EventFilter): boolean {
  if (!readsJson(filter)) return true
  const found = searchOf(event)
  return (filter.event === undefined || found.event === filter.event) &&
    (filter.userId === undefined || found.userId === filter.userId) &&
    (filter.anonymousId === undefined || found.anonymousId === filter.anonymousId)
}

/** Whether a filter compares properties in the JSON of an event. */
export function readsJson ({ event, userId, anonymousId }: EventFilter): boolean {
  return event !== undefined || userId !== undefined || anonymousId !== undefined
}

/** Returns an empty object for a string that is not the JSON of an object. */
function parse (json: string): Partial<Record<string, unknown>> {
  try {
    const value = JSON.parse(json) as unknown
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
