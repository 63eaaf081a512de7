import { hkdfSync } from 'node:crypto'

/**
 * Returns a 32-byte key for one purpose, derived from a secret by HKDF-SHA256 (RFC 5869). Different purposes and
 * secrets give unrelated keys, and no derived key reveals the secret.
 *
 * @example
 * const key = derivedKey(jwtSecret, 'known devices')
 */
export function derivedKey (secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `fastify-gatehouse: ${purpose}`, 32))
}
