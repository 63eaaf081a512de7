import { hash } from 'node:crypto'

import { toColumnText } from '../../lib/database/column-text.js'
import type { AcceptedEvent } from '../../contracts/event-sink.js'

/**
 * What makes an event the same event: the first half of the SHA-256 of its source, auth method and messageId, 16 bytes, each of them a
 * character. The database compares 16 bytes where three texts by the rules of a language would cost more than all else it does.
 */
export function eventId ({ sourceId, authMethod, messageId }: AcceptedEvent): string {
  return hash('sha256', `${sourceId} ${authMethod} ${toColumnText(messageId)}`, 'binary').slice(0, 16)
}

/** An id as 32 hex digits, of which a UUID may be read. */
export function hexOfId (id: string): string {
  return Buffer.from(id, 'latin1').toString('hex')
}

export function idOfHex (hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1')
}

/** 32 of the bits of an id; `word`: 0 to 3. */
export function wordOfId (id: string, word: number): number {
  const at = word * 4
  return (id.charCodeAt(at) << 24 | id.charCodeAt(at + 1) << 16 | id.charCodeAt(at + 2) << 8 | id.charCodeAt(at + 3)) >>> 0
}
