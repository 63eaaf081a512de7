import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { BinaryToTextEncoding } from 'node:crypto'

/** Bytes, or a text that is read as UTF-8. */
export type Data = string | Uint8Array

/** SHA-256 (FIPS 180-4): 32 bytes. */
export function sha256 (data: Data): Buffer {
  return hash('sha256', data, 'buffer')
}

/** SHA-256 as 64 lower-case hex digits: the form in which ids of secrets are stored. */
export function sha256Hex (data: Data): string {
  return hash('sha256', data, 'hex')
}

/** HMAC-SHA256 (RFC 2104): 32 bytes, or the text that stands for them. A text key is its UTF-8 bytes. */
export function hmacSha256 (key: Data, data: Data): Buffer
export function hmacSha256 (key: Data, data: Data, encoding: BinaryToTextEncoding): string
export function hmacSha256 (key: Data, data: Data, encoding?: BinaryToTextEncoding): Buffer | string {
  const hmac = createHmac('sha256', key).update(data)
  // The text of a digest takes half the time of its bytes.
  return encoding === undefined ? hmac.digest() : hmac.digest(encoding)
}

/** Compares two digests in constant time; digests of different lengths are different, never an error. */
export function sameDigest (a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/**
 * Compares two secrets in a time that depends on neither of them nor on their lengths: their digests are compared.
 * Where one known secret meets many requests, keep its `sha256` from start-up and use `sameDigest`.
 */
export function sameSecret (presented: string, known: string): boolean {
  return timingSafeEqual(sha256(presented), sha256(known))
}
