import { createHmac } from 'node:crypto'

import { hmacSha256, sameDigest } from '../digest.js'
import type { Data } from '../digest.js'
import { assertKnownOptions } from '../known-options.js'
import type { KnownOptions } from '../known-options.js'

export { generateServerSecret, parseServerSecret } from './server-secret.js'

const KNOWN: KnownOptions<TimestampedSignature> = { header: true, timestamp: true, now: true, tolerance: true }
const HEADER = /^sha256=([0-9A-Fa-f]{64})$/
const TIMESTAMP = /^[1-9][0-9]{0,15}$/
const FIVE_MINUTES = 300_000

/** The result of verifying a signed body. */
export type BodyVerdict = 'valid' | 'invalid'

/** Like `BodyVerdict`, with a separate result for a timestamp outside the tolerance. */
export type TimestampedBodyVerdict = BodyVerdict | 'timestamp_out_of_range'

export interface TimestampedSignature {
  /** The value of `X-Signature`. */
  header: string
  /** The value of `X-Timestamp`: unix milliseconds in plain decimal digits. */
  timestamp: string
  /** The current time, in unix milliseconds. */
  now: number
  /**
   * Maximum distance of the timestamp from `now` in either direction, in milliseconds. Default: 300 000 (5 minutes).
   */
  tolerance?: number
}

/**
 * Returns the value of `X-Datafly-Signature` for a body: `sha256=` and 64 lower-case hex digits of HMAC-SHA256 over the
 * raw bytes (Datafly Signal documentation, authentication). Strings are signed as UTF-8.
 *
 * @example
 * headers['x-datafly-signature'] = signBody(parseServerSecret(serverSecret), body)
 */
export function signBody (secret: Data, body: Data): string {
  return `sha256=${hmacSha256(secret, body, 'hex')}`
}

/**
 * Returns the value of `X-Signature` for a body that is sent with `X-Timestamp: <timestamp>`: like `signBody`, but over
 * `timestamp + "." + body`. Throws a TypeError for a timestamp that is not plain decimal digits.
 *
 * @example
 * const timestamp = String(Date.now())
 * headers['x-signature'] = signTimestampedBody(parseServerSecret(serverSecret), timestamp, body)
 */
export function signTimestampedBody (secret: Data, timestamp: string, body: Data): string {
  if (!TIMESTAMP.test(timestamp)) throw new TypeError('timestamp: must be unix milliseconds in plain decimal digits')
  return `sha256=${timestampedHmac(secret, timestamp, body).toString('hex')}`
}

/** Returns the 32 bytes of a signature header, or `null` unless it is `sha256=` and 64 hex digits in either case. */
export function parseSignatureHeader (header: string): Buffer | null {
  const hex = HEADER.exec(header)?.[1]
  return hex === undefined ? null : Buffer.from(hex, 'hex')
}

/**
 * Verifies `X-Datafly-Signature` in constant time. The signature is valid if any of `secrets` created it; pass two
 * secrets during a rotation.
 *
 * @example
 * verifyBody(request.headers['x-datafly-signature'], [currentSecret, previousSecret], rawBody) // 'valid'
 */
export function verifyBody (header: string, secrets: readonly Data[], body: Data): BodyVerdict {
  const presented = parseSignatureHeader(header)
  if (presented === null) return 'invalid'
  return secrets.some((secret) => sameDigest(hmacSha256(secret, body), presented)) ? 'valid' : 'invalid'
}

/**
 * Verifies `X-Signature` and `X-Timestamp` in constant time. A timestamp in seconds, or one that is not a plain decimal
 * number, is `timestamp_out_of_range`, whatever the signature is.
 *
 * @example
 * verifyTimestampedBody({ header, timestamp, now: Date.now() }, [serverSecret], rawBody) // 'valid'
 */
export function verifyTimestampedBody (
  signature: TimestampedSignature, secrets: readonly Data[], body: Data
): TimestampedBodyVerdict {
  assertKnownOptions('verifyTimestampedBody', signature, KNOWN)
  const { header, timestamp, now, tolerance = FIVE_MINUTES } = signature
  if (!TIMESTAMP.test(timestamp) || !(Math.abs(now - Number(timestamp)) <= tolerance)) return 'timestamp_out_of_range'
  const presented = parseSignatureHeader(header)
  if (presented === null) return 'invalid'
  return secrets.some((secret) => sameDigest(timestampedHmac(secret, timestamp, body), presented)) ? 'valid' : 'invalid'
}

function timestampedHmac (secret: Data, timestamp: string, body: Data): Buffer {
  return createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest()
}
