import { sha256 } from '../digest.js'

/** Bytes of a digest: the chance that a random secret has the digest of one of 4 000 listed ones is 1 in 70 billion. */
const BYTES = 6

/** The length of a digest in base64url characters. */
export const DIGEST_LENGTH = BYTES * 4 / 3

/** A secret without its case, spaces, punctuation and symbols, so that spellings of one sample are equal. */
export function foldSecret (text: string): string {
  return text.toLowerCase().replace(/[\s\p{P}\p{S}]/gu, '')
}

/** The digest by which `known-secret-digests.ts` lists a secret that `foldSecret` has folded: the first bytes of its SHA-256. */
export function secretDigest (folded: string): string {
  return sha256(folded).subarray(0, BYTES).toString('base64url')
}
