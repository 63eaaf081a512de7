import { eventId } from './event-id.js'
import type { AcceptedEvent } from '../../contracts/event-sink.js'

const TIME_SIZE = 8
const DIGEST_SIZE = 10
const PATTERN = /^evt_([\w-]{24})$/

/**
 * Returns the public id of an event, which no other event of its organisation has. It consists of the time of receipt
 * and of the id that identifies duplicates, so it is the same in every sink, and tells nothing about other events.
 *
 * @example
 * publicId(event) // 'evt_AAABm8IqZAA9hVpUj2m3sQsX'
 */
export function publicId (event: AcceptedEvent): string {
  const bytes = Buffer.alloc(TIME_SIZE + DIGEST_SIZE)
  bytes.writeBigInt64BE(BigInt(event.receivedAt))
  bytes.write(eventId(event), TIME_SIZE, DIGEST_SIZE, 'latin1')
  return `evt_${bytes.toString('base64url')}`
}

/** Returns the time of receipt in a public id, epoch milliseconds; `null` for a string that is not such an id. */
export function receivedAtOf (id: string): number | null {
  const [, encoded] = PATTERN.exec(id) ?? []
  if (encoded === undefined) return null
  const time = Number(Buffer.from(encoded, 'base64url').readBigInt64BE())
  return Math.abs(time) <= 8.64e15 ? time : null
}
