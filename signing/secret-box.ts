import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

import { sha256 } from './digest.js'

const VERSION = 'v1'
const IV_BYTES = 12
const TAG_BYTES = 16
const KEY_DOMAIN = 'fastify-gatehouse secret box v1'

/** Encrypts secrets for storage. */
export interface SecretBox {
  /**
   * Encrypts under the current key. `context` (table, column and row id) is authenticated but not stored, so a sealed
   * string that is copied to another row cannot be opened there.
   */
  seal(plain: Uint8Array | string, context: string): string
  /**
   * Decrypts under the key that sealed the string. Throws an Error for an unknown key, another context or tampering.
   */
  open(sealed: string, context: string): Buffer
  /** Returns whether a string was sealed under the current key. If not, seal it again before you drop the older key. */
  isCurrent(sealed: string): boolean
  /** The string that every sealed string under the current key starts with, and no other one. */
  readonly currentPrefix: string
}

/**
 * Creates a box that encrypts with AES-256-GCM. `keys` is `[current, …previous]`: the first key seals, every key opens.
 * HKDF-SHA256 derives each AES key, so a secret may have any length; the caller checks its strength. A sealed string is
 * `v1.<key id>.<iv>.<ciphertext and tag>` in base64url. The 96-bit IV is random: seal fewer than 2^32 strings per key.
 *
 * @example
 * const box = secretBox([currentKey, previousKey])
 * box.open(box.seal('secret', 'sources.server_secret:1'), 'sources.server_secret:1').toString() // 'secret'
 */
export function secretBox (keys: readonly string[]): SecretBox {
  const [current, ...previous] = keys.map(deriveKey)
  if (current === undefined) throw new TypeError('secret box: "keys" is empty')
  const byId = new Map([...previous.reverse(), current].map((key) => [key.id, key.bytes]))
  const currentPrefix = `${VERSION}.${current.id}.`

  return {
    currentPrefix,

    seal (plain, context) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', current.bytes, iv, { authTagLength: TAG_BYTES }).setAAD(
        Buffer.from(context)
      )
      const box = Buffer.concat([cipher.update(Buffer.from(plain)), cipher.final(), cipher.getAuthTag()])
      return `${currentPrefix}${iv.toString('base64url')}.${box.toString('base64url')}`
    },

    open (sealed, context) {
      const [version, id, encodedIv, encodedBox, ...rest] = sealed.split('.')
      const key = byId.get(id ?? '')
      const iv = fromBase64url(encodedIv)
      const box = fromBase64url(encodedBox)
      if (version !== VERSION || rest.length > 0 || iv?.length !== IV_BYTES || box === null || box.length < TAG_BYTES) {
        throw new Error('secret box: malformed')
      }
      if (key === undefined) throw new Error('secret box: sealed under a key that is not among "keys"')
      const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(context)).setAuthTag(box.subarray(-TAG_BYTES))
      try {
        return Buffer.concat([decipher.update(box.subarray(0, -TAG_BYTES)), decipher.final()])
      } catch {
        throw new Error('secret box: altered, or sealed for another context')
      }
    },

    isCurrent: (sealed) => sealed.startsWith(currentPrefix)
  }
}

function deriveKey (secret: string): { id: string, bytes: Buffer } {
  if (secret === '') throw new TypeError('secret box: a key in "keys" is empty')
  const bytes = Buffer.from(hkdfSync('sha256', secret, '', KEY_DOMAIN, 32))
  return { id: sha256(bytes).subarray(0, 6).toString('base64url'), bytes }
}

/** Returns the bytes of canonical base64url, or `null`: one sealed value has one spelling. */
function fromBase64url (text: string | undefined): Buffer | null {
  const bytes = Buffer.from(text ?? '', 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}
