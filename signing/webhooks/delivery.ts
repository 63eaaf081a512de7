import { sameDigest } from '../digest.js'

/** A request that claims to come from a webhook provider. */
export interface WebhookDelivery {
  method: string
  /** The full URL that the provider called, including the query. Only HubSpot signs it. */
  url: string
  /** Headers with lower-case names, as Node.js provides them. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The raw bytes of the body. */
  body: Uint8Array
  /** Current time, in unix milliseconds. */
  now: number
  /**
   * Maximum distance of a signed timestamp from `now` in either direction, in milliseconds. Default: 300 000 (5
   * minutes).
   */
  tolerance?: number | undefined
}

/**
 * The result of verifying a delivery. The timestamp is checked only after its signature, so that an unauthenticated
 * caller learns nothing about it.
 */
export type WebhookVerdict =
  | { readonly valid: true, readonly signature: Buffer }
  | { readonly valid: false, readonly reason: 'signature' | 'timestamp' }

const FIVE_MINUTES = 300_000
const DIGITS = /^[1-9][0-9]{0,15}$/

export const BAD_SIGNATURE: WebhookVerdict = { valid: false, reason: 'signature' }

/**
 * Compares the presented signatures with the signature of each live secret, in constant time. `time` is the signed
 * timestamp in unix milliseconds, or `null` for a scheme without a timestamp.
 */
export function checkSignature (
  { now, tolerance = FIVE_MINUTES }: WebhookDelivery,
  presented: readonly Buffer[],
  secrets: readonly Buffer[],
  sign: (secret: Buffer) => Buffer,
  time: number | null
): WebhookVerdict {
  for (const secret of secrets) {
    const signature = sign(secret)
    if (!presented.some((candidate) => sameDigest(candidate, signature))) continue
    return time === null || Math.abs(now - time) <= tolerance
      ? { valid: true, signature }
      : { valid: false, reason: 'timestamp' }
  }
  return BAD_SIGNATURE
}

/** Returns the value of a header, or `null` if it is absent, empty or repeated. */
export function headerValue ({ headers }: WebhookDelivery, name: string): string | null {
  const value = headers[name]
  return typeof value === 'string' && value !== '' ? value : null
}

/** Parses a timestamp of plain decimal digits; returns `null` for any other string. */
export function parseTimestamp (value: string | null): number | null {
  return value !== null && DIGITS.test(value) ? Number(value) : null
}

/** Returns the bytes of canonical standard base64, or `null`: one signature has one spelling. */
export function fromBase64 (value: string): Buffer | null {
  const bytes = Buffer.from(value, 'base64')
  return bytes.length > 0 && bytes.toString('base64') === value ? bytes : null
}

/** Returns the bytes of hex in either case, or `null`. */
export function fromHex (value: string): Buffer | null {
  return /^(?:[0-9A-Fa-f]{2})+$/.test(value) ? Buffer.from(value, 'hex') : null
}
