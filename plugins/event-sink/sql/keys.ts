import type { AcceptedEvent } from '../../../contracts/event-sink.js'
import { searchOf } from '../event-search.js'

/** The keys of an event, in the columns `message_key`, `event_key`, `user_key` and `anonymous_key`. */
export interface EventKeys {
  messageId: number
  event: number | null
  userId: number | null
  anonymousId: number | null
}

export function keysOf (event: AcceptedEvent): EventKeys {
  const { event: name, userId, anonymousId } = searchOf(event)
  return {
    messageId: keyOf(event.messageId),
    event: name === null ? null : keyOf(name),
    userId: userId === null ? null : keyOf(userId),
    anonymousId: anonymousId === null ? null : keyOf(anonymousId)
  }
}

/**
 * Returns a 16-bit hash of a string, signed: FNV-1a over the UTF-16 code units, folded. It selects candidates, which
 * are then compared. Stored, so it must not change.
 */
export function keyOf (text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash ^ hash >>> 16) << 16 >> 16
}
