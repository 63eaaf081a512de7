import { createHmac } from 'node:crypto'

import { hmacSha256, sameDigest } from '../digest.js'
import type { Data } from '../digest.js'

export { generateServerSecret, parseServerSecret } from './server-secret.js'

const HEADER = /^sha256=([0-9A-Fa-f]{64})$/
const TIMESTAMP = /^[1-9][0-9]{0,15}$/
const FIVE_MINUTES = 300_000

/** What a check of a signed body found. */
export type BodyVerdict = 'valid' | 'invalid'

/** As `BodyVerdict`, with a timestamp that is not within the tolerance told apart. */
export type TimestampedBodyVerdict = BodyVerdict | 'timestamp_out_of_range'

export interface TimestampedSignature {
  /** The value of `X-Signature`. */
  header: string
  /** The value of `X-Timestamp`: unix milliseconds in plain decimal digits. */
  timestamp: string
  /** The time of the check, in unix milliseconds. */
  now: number
  /** How far the timestamp may lie before or after `now`, in milliseconds. Default: 300 000 (5 minutes). */
  tolerance?: number
}

/**
 * The value of `X-Datafly-Signature` for a body: `sha256=` and 64 lower-case hex digits of HMAC-SHA256 over its raw bytes
 * (Datafly Signal, authentication page). A text is its UTF-8 bytes.
 */
export function signBody (secret: Data, body: Data): string {
  return `sha256=${hmacSha256(secret, body, 'hex')}`
}

/**
 * The value of `X-Signature` for a body that is sent with `X-Timestamp: <timestamp>`: as `signBody`, over `timestamp + "." + body`.
 * Throws a TypeError for a timestamp that is not plain decimal digits.
 */
export function signTimestampedBody (secret: Data, timestamp: string, body: Data): string {
  if (!TIMESTAMP.test(timestamp)) throw new TypeError('timestamp: must be unix milliseconds in plain decimal digits')
  return `sha256=${timestampedHmac(secret, timestamp, body).toString('hex')}`
}

/** The 32 bytes of a signature header, or null unless it is exactly `sha256=` and 64 hex digits, in either case. */
export function parseSignatureHeader (header: string): Buffer | null {
  const hex = HEADER.exec(header)?.[1]
  return hex === undefined ? null : Buffer.from(hex, 'hex')
}

/** Checks `X-Datafly-Signature` in constant time; any of the live secrets (two during a rotation) may have made it. */
export function verifyBody (header: string, secrets: readonly Data[], body: Data): BodyVerdict {
  const presented = parseSignatureHeader(header)
  if (presented === null) return 'invalid'
  return secrets.some((secret) => sameDigest(hmacSha256(secret, body), presented)) ? 'valid' : 'invalid'
}

/**
 * Checks `X-Signature` and `X-Timestamp` in constant time. A timestamp that is no plain decimal number, or is in
 * seconds, lies out of range, whatever the signature says.
 */
export function verifyTimestampedBody (
  { header, timestamp, now, tolerance = FIVE_MINUTES }: TimestampedSignature, secrets: readonly Data[], body: Data
): TimestampedBodyVerdict {
  if (!TIMESTAMP.test(timestamp) || !(Math.abs(now - Number(timestamp)) <= tolerance)) return 'timestamp_out_of_range'
  const presented = parseSignatureHeader(header)
  if (presented === null) return 'invalid'
  return secrets.some((secret) => sameDigest(timestampedHmac(secret, timestamp, body), presented)) ? 'valid' : 'invalid'
}

function timestampedHmac (secret: Data, timestamp: string, body: Data): Buffer {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest()
}
