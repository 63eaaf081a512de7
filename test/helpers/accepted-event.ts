import type { AcceptedEvent } from '../../contracts/event-sink.js'
import type { Source } from '../../contracts/token-store/index.js'

/** An accepted event of a source, of some `bytes`. */
export function acceptedEvent ({ id, orgId }: Source, messageId: string, bytes = 100): AcceptedEvent {
  return {
    orgId,
    sourceId: id,
    messageId,
    type: 'track',
    authMethod: 'key',
    receivedAt: Date.now(),
    timestamp: Date.now(),
    ip: '203.0.113.9',
    userAgent: null,
    payload: JSON.stringify({ event: 'Bought', properties: { filler: 'x'.repeat(bytes) } }),
    additions: '{}'
  }
}
