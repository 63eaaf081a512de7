import { hkdfSync } from 'node:crypto'

/**
 * A key of 32 bytes for one purpose, derived from a secret by HKDF-SHA256 (RFC 5869): of another purpose or secret it is another key, and
 * neither it nor what is made with it gives the secret away.
 *
 * @example
 * const key = derivedKey(jwtSecret, 'known devices')
 */
export function derivedKey (secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `fastify-gatehouse: ${purpose}`, 32))
}
