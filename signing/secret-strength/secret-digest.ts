import { sha256 } from '../digest.js'

/** Bytes of a digest. A random secret matches one of 4 000 listed digests with a probability of 1 in 70 billion. */
const BYTES = 6

/** The length of a digest in base64url characters. */
export const DIGEST_LENGTH = BYTES * 4 / 3

/** Removes case, spaces, punctuation and symbols from a secret, so that all spellings of one sample are equal. */
export function foldSecret (text: string): string {
  return text.toLowerCase().replace(/[\s\p{P}\p{S}]/gu, '')
}

/** Returns the digest that `known-secret-digests.ts` lists for a folded secret: the first bytes of its SHA-256. */
export function secretDigest (folded: string): string {
  return sha256(folded).subarray(0, BYTES).toString('base64url')
}
