import { randomBytes } from 'node:crypto'

import { isKnownSecret } from './known-secrets.js'

const MIN_BYTES = 32
const MIN_CHARACTERS = 12

/**
 * Throws an Error unless `secret` is fit to sign or seal with: at least 32 bytes as UTF-8, at least 12 different characters,
 * and no publicly known sample or placeholder. For the secrets whose form we choose; those that a product gives are taken
 * as they are. The message names `option` and how to make a good one, and never shows the secret.
 */
export function assertStrongSecret (option: string, secret: string): void {
  const fault = weakness(secret)
  if (fault !== null) throw new Error(`"${option}" ${fault}; make one with \`npx fastify-gatehouse generate-key\``)
}

/** A new secret: 32 random bytes as base64url, 43 characters. */
export function generateSecret (): string {
  const secret = randomBytes(32).toString('base64url')
  // What we make must always pass our own check, and chance draws fewer than 12 different characters, or a placeholder, sooner or later.
  return weakness(secret) === null ? secret : generateSecret()
}

function weakness (secret: unknown): string | null {
  if (typeof secret !== 'string' || secret === '') return 'is missing'
  if (Buffer.byteLength(secret) < MIN_BYTES) return `is shorter than ${MIN_BYTES} bytes`
  if (new Set(secret).size < MIN_CHARACTERS) return `has fewer than ${MIN_CHARACTERS} different characters`
  if (isKnownSecret(secret)) return 'is a publicly known sample or a placeholder'
  return null
}
