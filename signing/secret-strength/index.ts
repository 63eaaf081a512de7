import { randomBytes } from 'node:crypto'

import { isKnownSecret } from './known-secrets.js'

const MIN_BYTES = 32
const MIN_CHARACTERS = 12

/**
 * Throws an Error unless `secret` is strong enough to sign or encrypt with: at least 32 bytes as UTF-8, at least 12
 * different characters, and neither a public sample nor a placeholder. Use it only for secrets whose form the operator
 * chooses, not for secrets that a product issues. The message names `option` and never contains the secret.
 */
export function assertStrongSecret (option: string, secret: string): void {
  const reason = weakness(secret)
  if (reason !== null) throw new Error(`"${option}" ${reason}; create one with \`npx fastify-gatehouse generate-key\``)
}

/**
 * Creates a secret: 32 random bytes as base64url, 43 characters.
 *
 * @example
 * generateSecret() // 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg'
 */
export function generateSecret (): string {
  const secret = randomBytes(32).toString('base64url')
  // A random secret may by chance have fewer than 12 different characters or contain a placeholder.
  return weakness(secret) === null ? secret : generateSecret()
}

function weakness (secret: unknown): string | null {
  if (typeof secret !== 'string' || secret === '') return 'is missing'
  if (Buffer.byteLength(secret) < MIN_BYTES) return `is shorter than ${MIN_BYTES} bytes`
  if (new Set(secret).size < MIN_CHARACTERS) return `has fewer than ${MIN_CHARACTERS} different characters`
  if (isKnownSecret(secret)) return 'is a publicly known sample or a placeholder'
  return null
}
