import { toColumnText } from '../../../lib/database/column-text.js'
import { hexOfId } from '../event-id.js'
import { keysOf } from './keys.js'
import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import { DEDUPLICATION_WINDOW } from '../../../contracts/event-sink.js'

/** PostgreSQL has no year 0: the year before 1 is 1 BC. */
const YEAR_1 = Date.parse('0001-01-01')
const WINDOW = `${DEDUPLICATION_WINDOW} milliseconds`

/**
 * Writes events, drops duplicates, and counts the stored events by source, in one statement. Ids are inserted in a
 * fixed order, the same as in `EventCopy`, so that two instances with the same ids cannot deadlock.
 */
export const INSERT = `
WITH incoming AS (
  SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[], $11::text[], $12::text[],
    $14::int2[], $15::int2[], $16::int2[], $17::int2[]
  ) WITH ORDINALITY AS e (id, org_id, source_id, message_id, type, auth_method, received_at, "timestamp", ip, user_agent, payload, additions, message_key, event_key, user_key, anonymous_key, n)
), fresh AS (
  INSERT INTO event_ids AS known (id, seen_at)
  SELECT id, received_at FROM incoming ORDER BY id
  ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at WHERE known.seen_at <= excluded.seen_at - $13::interval
  RETURNING id
), stored AS (
  INSERT INTO events (org_id, source_id, message_id, type, auth_method, received_at, "timestamp", ip, user_agent, payload, additions, message_key, event_key, user_key, anonymous_key)
  SELECT org_id, source_id, message_id, type, auth_method, received_at, "timestamp", ip, user_agent, payload::json, additions::json, message_key, event_key, user_key, anonymous_key
  FROM incoming JOIN fresh USING (id) ORDER BY n
), counted AS (
  INSERT INTO count_deltas (org_id, subject, outcome, hour, events, bytes, last_at)
  SELECT org_id, 'stored:' || replace(source_id, '\\', '\\\\'), 'accepted', date_trunc('hour', received_at, 'UTC'), count(*), sum(octet_length(payload)), max(received_at)
  FROM incoming JOIN fresh USING (id) GROUP BY org_id, source_id, date_trunc('hour', received_at, 'UTC')
  RETURNING org_id, subject, events
)
SELECT org_id, subject, sum(events)::int AS events FROM counted GROUP BY org_id, subject`

export interface StoredRow {
  org_id: string
  /** As `subjectOf` returns it. */
  subject: string
  /** Number of stored events. */
  events: number
}

/** Reads when ids were first seen. A separate statement, which only flushes with duplicates need. */
export const SELECT_KNOWN =
  "SELECT replace(id::text, '-', '') AS id, extract(epoch FROM seen_at) * 1000 AS since FROM event_ids WHERE id = " +
    'ANY ($1::uuid[])'

export interface KnownRow {
  id: string
  /** Epoch milliseconds. */
  since: string
}

/** Returns the parameters of `INSERT`. */
export function parametersOf (fresh: ReadonlyMap<string, AcceptedEvent>): unknown[] {
  const events = [...fresh.values()]
  const keys = events.map(keysOf)
  return [
    [...fresh.keys()].map(hexOfId),
    events.map((event) => event.orgId),
    events.map((event) => event.sourceId),
    events.map((event) => toColumnText(event.messageId)),
    events.map((event) => event.type),
    events.map((event) => event.authMethod),
    events.map((event) => toTimestamp(event.receivedAt)),
    events.map((event) => toTimestamp(event.timestamp)),
    events.map((event) => event.ip),
    events.map((event) => event.userAgent),
    events.map((event) => event.payload),
    events.map((event) => event.additions),
    WINDOW,
    keys.map(({ messageId }) => messageId),
    keys.map(({ event }) => event),
    keys.map(({ userId }) => userId),
    keys.map(({ anonymousId }) => anonymousId)
  ]
}

/** Formats epoch milliseconds for PostgreSQL. */
export function toTimestamp (milliseconds: number): string {
  const date = new Date(milliseconds)
  const iso = date.toISOString()
  if (milliseconds >= YEAR_1) return iso
  return `${String(1 - date.getUTCFullYear()).padStart(4, '0')}${iso.slice(iso.indexOf('-', 1))} BC`
}
