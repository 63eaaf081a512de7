import { hash } from 'node:crypto'

import { toColumnText } from '../../lib/database/column-text.js'
import type { AcceptedEvent } from '../../contracts/event-sink.js'

/**
 * Returns the id that identifies duplicates: the first 16 bytes of the SHA-256 of source, auth method and messageId,
 * one character per byte. Comparing 16 bytes is far cheaper for the database than comparing three strings by a
 * collation.
 */
export function eventId ({ sourceId, authMethod, messageId }: AcceptedEvent): string {
  return hash('sha256', `${sourceId} ${authMethod} ${toColumnText(messageId)}`, 'binary').slice(0, 16)
}

/** Encodes an id as 32 hex digits, which PostgreSQL reads as a UUID. */
export function hexOfId (id: string): string {
  return Buffer.from(id, 'latin1').toString('hex')
}

/** Reverses `hexOfId`. */
export function idOfHex (hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1')
}

/** Returns 32 bits of an id; `word` is 0 to 3. */
export function wordOfId (id: string, word: number): number {
  const at = word * 4
  return (id.charCodeAt(at) << 24 | id.charCodeAt(at + 1) << 16 | id.charCodeAt(at + 2) << 8 |
    id.charCodeAt(at + 3)) >>> 0
}
