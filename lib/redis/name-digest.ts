import { sha256 } from '../../signing/digest.js'

/**
 * Digests a string for use in a key's name, as it may be secret, long or an address. UTF-16 keeps strings with lone
 * surrogates distinct.
 */
export function nameDigest (value: string): string {
  return sha256(Buffer.from(value, 'utf16le')).toString('base64url')
}
