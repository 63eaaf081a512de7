import type { EventFilter } from '../../../contracts/event-sink.js'
import type { PartitionIndex } from './index-build.js'

/** Looks events up by a property. All but the indexes of message ids and times are in the order of lists. */
export interface Lookup extends PartitionIndex {
  /** The expression that the index begins with. */
  expression: string
  /** The predicate of a partial index. */
  where: string | null
}

function lookup (suffix: string, expression: string, order: string, where: string | null): Lookup {
  return { suffix, expression, where, definition: `(${expression}${order})${where === null ? '' : ` where ${where}`}` }
}

const byKey = (suffix: string, column: string) =>
  lookup(suffix, `hashtextextended(org_id, ${column}::bigint)`, ', received_at, seq', `${column} is not null`)

/**
 * The indexes of days that have ended. An index of the current day would make each event more expensive to store.
 * Hashes take 8 bytes, and begin with the organisation, so that no other organisation's events slow down a look-up.
 */
export const LOOKUPS = {
  messageId: lookup('_message', "hashtextextended(org_id || E'\\n' || message_id, 0)", '', null),
  userId: byKey('_user', 'user_key'),
  anonymousId: byKey('_anonymous', 'anonymous_key'),
  event: byKey('_event', 'event_key'),
  sourceAndType: lookup(
    '_source_type',
    "hashtextextended(org_id || E'\\n' || source_id || E'\\n' || type, 0)",
    ', received_at, seq',
    "type <> 'track'"
  ),
  timestamp: lookup('_timestamp', 'hashtextextended(org_id, 0)', ', "timestamp", received_at', null)
} as const satisfies Record<string, Lookup>

export type LookupName = keyof typeof LOOKUPS

/** Returns the index for a filter, by its rarest property; `null`: no index of `LOOKUPS` helps. */
export function lookupOf (filter: EventFilter): LookupName | null {
  const { messageId, userId, anonymousId, event, sourceId, type, timestampFrom, timestampTo } = filter
  if (messageId !== undefined) return 'messageId'
  if (userId !== undefined) return 'userId'
  if (anonymousId !== undefined) return 'anonymousId'
  if (event !== undefined) return 'event'
  if (sourceId !== undefined && type !== undefined && type !== 'track') return 'sourceAndType'
  return timestampFrom === undefined && timestampTo === undefined ? null : 'timestamp'
}
