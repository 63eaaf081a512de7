import assert from 'node:assert/strict'

import type { AcceptedEvent, EventFilter, EventSink, ReadableEventSink } from '../../contracts/event-sink.js'
import { isReadable } from '../../contracts/event-sink.js'
import type { ContractClock } from '../clocks.js'

/** When the events of the fixtures are received, unless they say otherwise; where `manualClock()` begins. */
export const NOW = Date.UTC(2026, 0, 15, 12)

export type MakeSink = () => Promise<{ sink: EventSink, clock: ContractClock }>

let minted = 0

/** An event as the gateway makes one, with a messageId of its own. */
export function anEvent (fields: Partial<AcceptedEvent> = {}): AcceptedEvent {
  return {
    orgId: 'org-a',
    sourceId: 'source-a',
    messageId: `message-${++minted}`,
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

/** What a readable sink holds of an organisation, newest first; nothing of any other. */
export async function stored (sink: EventSink, orgId = 'org-a'): Promise<AcceptedEvent[]> {
  return isReadable(sink) ? await listed(sink, orgId) : []
}

/** Every page of a list, joined: a page may end early. */
export async function listed (sink: ReadableEventSink, orgId: string, filter: EventFilter = {}, limit = 100): Promise<AcceptedEvent[]> {
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

/** That a readable sink holds these events, newest first. */
export async function assertStored (sink: EventSink, events: readonly AcceptedEvent[], message?: string): Promise<void> {
  if (isReadable(sink)) assert.deepEqual(await stored(sink), events, message)
}

/** That a readable sink holds so many events of that messageId. */
export async function assertCopies (sink: EventSink, { messageId }: Pick<AcceptedEvent, 'messageId'>, count: number, message?: string): Promise<void> {
  if (isReadable(sink)) assert.equal((await stored(sink)).filter((event) => event.messageId === messageId).length, count, message)
}
