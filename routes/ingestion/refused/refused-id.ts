import { hash, randomBytes } from 'node:crypto'

const TIME_SIZE = 8
const RANDOM_SIZE = 10

/**
 * Creates the id of a refused event: its time of receipt and random bytes.
 *
 * @example
 * refusedId(Date.now()) // 'ref_AAABm8IqZAA9hVpUj2m3sQsX'
 */
export function refusedId (receivedAt: number): string {
  return toId(receivedAt, randomBytes(RANDOM_SIZE))
}

/** Returns the id of an event that a replay of its request refuses; each replay gives it the same id. */
export function partId (id: string, receivedAt: number, index: number): string {
  return toId(receivedAt, hash('sha256', `${id} ${index}`, 'buffer').subarray(0, RANDOM_SIZE))
}

function toId (receivedAt: number, rest: Buffer): string {
  const bytes = Buffer.alloc(TIME_SIZE + RANDOM_SIZE)
  bytes.writeBigInt64BE(BigInt(receivedAt))
  rest.copy(bytes, TIME_SIZE)
  return `ref_${bytes.toString('base64url')}`
}
