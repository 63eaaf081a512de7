import type { Generated } from 'kysely'

import type { AuthMethod, EventType } from '../../../contracts/event-sink.js'
import type { RefusedReplay } from '../../../contracts/token-store/index.js'
import type { Json, Sequence } from './column-types.js'

/** The tables of events, of their counts and of refused events. */
export interface EventTables {
  events: EventsTable
  event_ids: EventIdsTable
  event_keys: EventKeysTable
  counts: CountsTable
  count_deltas: CountsTable
  refused_events: RefusedEventsTable
}

/** Numbers of events, credentials or logins by hour. `count_deltas` has the same columns and no key. */
interface CountsTable {
  org_id: string
  subject: string
  outcome: string
  hour: Date
  events: string | number
  bytes: string | number
  last_at: Date
}

interface RefusedEventsTable {
  id: string
  seq: Sequence
  org_id: string
  source_id: string
  code: string
  reason: string
  origin: string | null
  ip: string
  user_agent: string | null
  path: string
  content_type: string | null
  signed: boolean
  type: string | null
  event: string | null
  message_id: string | null
  received_at: Date
  bytes: number
  payload: string
  truncated: Generated<boolean>
  replay: Json<RefusedReplay> | null
  replayed_at: Date | null
  claim: Generated<string | null>
  claimed_until: Generated<Date | null>
}

/**
 * Accepted events, one partition per UTC day of `received_at`. `event_ids` keeps duplicates out, as a unique index here
 * would cost a quarter of the throughput.
 */
interface EventsTable {
  seq: Generated<string>
  org_id: string
  source_id: string
  message_id: string
  type: EventType
  auth_method: AuthMethod
  received_at: Date
  timestamp: Date
  ip: string
  user_agent: string | null
  payload: Json<unknown>
  additions: Json<unknown>
  /** 16-bit hashes by which events are found; `null` if the event lacks the property, or before `event_keys.since`. */
  message_key: number | null
  event_key: number | null
  user_key: number | null
  anonymous_key: number | null
}

/** One row: from when on every event has its keys. */
interface EventKeysTable {
  since: Date
}

/** The ids of the events of the last 24 hours. */
interface EventIdsTable {
  /** The first 16 bytes of the SHA-256 of source, auth method and messageId. */
  id: string
  seen_at: Date
}
