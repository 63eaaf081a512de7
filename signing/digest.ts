import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { BinaryToTextEncoding, KeyObject } from 'node:crypto'

/** Bytes, or a string that is read as UTF-8. */
export type Data = string | Uint8Array

/** Returns the SHA-256 (FIPS 180-4) of `data`: 32 bytes. */
export function sha256 (data: Data): Buffer {
  // A string of one character per byte, copied into Node's pool, takes half the time of a digest as a Buffer.
  return Buffer.from(hash('sha256', data, 'binary'), 'binary')
}

/** Returns the SHA-256 of `data` as 64 lower-case hex digits, the form in which digests of secrets are stored. */
export function sha256Hex (data: Data): string {
  return hash('sha256', data, 'hex')
}

/** Returns the HMAC-SHA256 (RFC 2104) of `data`: 32 bytes, or a string in `encoding`. A string key is read as UTF-8. */
export function hmacSha256 (key: Data | KeyObject, data: Data): Buffer
export function hmacSha256 (key: Data | KeyObject, data: Data, encoding: BinaryToTextEncoding): string
export function hmacSha256 (key: Data | KeyObject, data: Data, encoding?: BinaryToTextEncoding): Buffer | string {
  const hmac = createHmac('sha256', key).update(data)
  // As in `sha256`.
  return encoding === undefined ? Buffer.from(hmac.digest('binary'), 'binary') : hmac.digest(encoding)
}

/** Compares two digests in constant time. Digests of different lengths are unequal; they cause no error. */
export function sameDigest (a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * Compares two secrets by their digests, so that the time does not depend on the secrets or their lengths.
 * To compare one known secret with many requests, keep its `sha256` and use `sameDigest`.
 */
export function sameSecret (presented: string, known: string): boolean {
  return timingSafeEqual(sha256(presented), sha256(known))
}
