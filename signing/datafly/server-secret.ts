import { randomBytes } from 'node:crypto'

import { isKnownEncoding, isKnownSecret } from '../secret-strength/known-secrets.js'

const MIN_BYTES = 16
const ENCODED = /^(?:hex|base64):(.*)$/s
const HEX = /^(?:[0-9A-Fa-f]{2})+$/
const BASE64 = /^[0-9A-Za-z+/]+={0,2}$/

/**
 * Returns the key bytes of a source's server secret. `hex:…` and `base64:…` (standard alphabet, padding optional) are
 * decoded; any other string is used as UTF-8. Throws a TypeError for an empty or badly encoded secret.
 *
 * @example
 * parseServerSecret('hex:00ff') // <Buffer 00 ff>
 */
export function parseServerSecret (secret: string): Buffer {
  if (secret.startsWith('hex:')) return fromHex(secret.slice('hex:'.length))
  if (secret.startsWith('base64:')) return fromBase64(secret.slice('base64:'.length))
  if (secret === '') throw new TypeError('server_secret: must not be empty')
  if (/\p{Cs}/u.test(secret)) throw new TypeError('server_secret: is not well-formed Unicode')
  return Buffer.from(secret, 'utf8')
}

/**
 * Returns why a server secret is too easy to guess, as the end of a sentence, or `null` if it is strong enough. A
 * secret is weak if it has fewer than 16 bytes, is a public sample or is a placeholder. Throws like
 * `parseServerSecret`.
 *
 * @example
 * serverSecretWeakness('a')  // 'must have at least 16 bytes'
 */
export function serverSecretWeakness (secret: string): string | null {
  const bytes = parseServerSecret(secret)
  if (bytes.length < MIN_BYTES) return `must have at least ${MIN_BYTES} bytes`
  const [, encoded] = ENCODED.exec(secret) ?? []
  const isKnown = encoded === undefined ? isKnownSecret(secret) : isKnownEncoding(encoded)
  return isKnown ? 'must not be a publicly known sample or a placeholder' : null
}

/**
 * Creates a server secret: 32 random bytes as base64url, 43 characters, used as a UTF-8 string.
 *
 * @example
 * generateServerSecret() // 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg'
 */
export function generateServerSecret (): string {
  const secret = randomBytes(32).toString('base64url')
  // A random secret may contain a placeholder by chance.
  return isKnownSecret(secret) ? generateServerSecret() : secret
}

function fromHex (hex: string): Buffer {
  if (!HEX.test(hex)) throw new TypeError('server_secret: "hex:" must be followed by pairs of hex digits')
  return Buffer.from(hex, 'hex')
}

function fromBase64 (base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64')
  const canonical = bytes.toString('base64')
  // Node.js skips invalid characters, which would silently shorten the key.
  if (!BASE64.test(base64) || (base64 !== canonical && base64 !== canonical.replace(/=+$/, ''))) {
    throw new TypeError('server_secret: "base64:" must be followed by standard base64')
  }
  return bytes
}
