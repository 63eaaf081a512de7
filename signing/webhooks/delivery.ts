import { sameDigest } from '../digest.js'

/** A request that claims to come from a provider. */
export interface WebhookDelivery {
  method: string
  /** The whole URL as the provider called it, query included; only HubSpot signs it. */
  url: string
  /** By names in lower case, as Node.js gives them. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The bytes as they came on the wire. */
  body: Uint8Array
  /** The time of the check, in unix milliseconds. */
  now: number
  /** How far a signed timestamp may lie before or after `now`, in milliseconds. Default: 300 000 (5 minutes). */
  tolerance?: number | undefined
}

/** What a check found; a timestamp is judged only where the signature over it holds, so that a stranger learns nothing. */
export type WebhookVerdict =
  | { readonly valid: true, readonly signature: Buffer }
  | { readonly valid: false, readonly fault: 'signature' | 'timestamp' }

const FIVE_MINUTES = 300_000
const DIGITS = /^[1-9][0-9]{0,15}$/

export const BAD_SIGNATURE: WebhookVerdict = { valid: false, fault: 'signature' }

/**
 * Compares what was presented with what each live secret gives, in constant time. `time` is that of the signed timestamp, in
 * unix milliseconds, `null` for a scheme without one.
 */
export function judge (
  { now, tolerance = FIVE_MINUTES }: WebhookDelivery,
  presented: readonly Buffer[], secrets: readonly Buffer[], sign: (secret: Buffer) => Buffer, time: number | null
): WebhookVerdict {
  for (const secret of secrets) {
    const signature = sign(secret)
    if (!presented.some((candidate) => sameDigest(candidate, signature))) continue
    return time === null || Math.abs(now - time) <= tolerance ? { valid: true, signature } : { valid: false, fault: 'timestamp' }
  }
  return BAD_SIGNATURE
}

/** The value of a header that is there and not empty, else `null`. */
export function headerOf ({ headers }: WebhookDelivery, name: string): string | null {
  const value = headers[name]
  return typeof value === 'string' && value !== '' ? value : null
}

/** A timestamp of plain decimal digits, else `null`. */
export function digits (text: string | null): number | null {
  return text !== null && DIGITS.test(text) ? Number(text) : null
}

/** The bytes of canonical standard base64, else `null`: one signature has one spelling. */
export function fromBase64 (text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length > 0 && bytes.toString('base64') === text ? bytes : null
}

/** The bytes of hex in either case, else `null`. */
export function fromHex (text: string): Buffer | null {
  return /^(?:[0-9A-Fa-f]{2})+$/.test(text) ? Buffer.from(text, 'hex') : null
}
