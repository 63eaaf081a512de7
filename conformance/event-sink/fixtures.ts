import assert from 'node:assert/strict'

import type { AcceptedEvent, EventFilter, EventSink, ReadableEventSink } from '../../contracts/event-sink.js'
import { isReadable } from '../../contracts/event-sink.js'
import type { ContractClock } from '../clocks.js'

/** Default `receivedAt` of the events, and the start of `manualClock()`. */
export const NOW = Date.UTC(2026, 0, 15, 12)

export type CreateSink = () => Promise<{ sink: EventSink, clock: ContractClock }>

let created = 0

/**
 * Creates an event as the gateway does, with a unique messageId.
 *
 * @example
 * await sink.write([anEvent({ orgId: 'org-b' })])
 */
export function anEvent (fields: Partial<AcceptedEvent> = {}): AcceptedEvent {
  return {
    orgId: 'org-a',
    sourceId: 'source-a',
    messageId: `message-${++created}`,
    type: 'track',
    authMethod: 'key',
    receivedAt: NOW,
    timestamp: NOW - 1_000,
    ip: '203.0.113.7',
    userAgent: 'tests',
    payload: '{"event":"Order Completed"}',
    additions: '{}',
    ...fields
  }
}

/** Returns the stored events of an organisation, newest first; none for a sink that cannot be read. */
export async function stored (sink: EventSink, orgId = 'org-a'): Promise<AcceptedEvent[]> {
  return isReadable(sink) ? await listed(sink, orgId) : []
}

/** Returns the items of every page of a list. */
export async function listed (
  sink: ReadableEventSink,
  orgId: string,
  filter: EventFilter = {},
  limit = 100
): Promise<AcceptedEvent[]> {
  const events: AcceptedEvent[] = []
  let cursor: string | undefined
  do {
    const page = await sink.list(orgId, filter, { limit, cursor })
    assert.ok(page.data.length <= limit)
    events.push(...page.data)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return events
}

/** Asserts that a readable sink contains these events, newest first. */
export async function assertStored (
  sink: EventSink,
  events: readonly AcceptedEvent[],
  message?: string
): Promise<void> {
  if (isReadable(sink)) assert.deepEqual(await stored(sink), events, message)
}

/** Asserts the number of events with a messageId in a readable sink. */
export async function assertCopies (
  sink: EventSink,
  { messageId }: Pick<AcceptedEvent, 'messageId'>,
  count: number,
  message?: string
): Promise<void> {
  if (isReadable(sink)) {
    assert.equal((await stored(sink)).filter((event) => event.messageId === messageId).length, count, message)
  }
}
