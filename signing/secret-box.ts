import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

import { sha256 } from './digest.js'

const VERSION = 'v1'
const IV_BYTES = 12
const TAG_BYTES = 16
const KEY_DOMAIN = 'fastify-gatehouse secret box v1'

/** Seals secrets at rest. */
export interface SecretBox {
  /**
   * Encrypts under the current key. `context` (table, column and row id) is authenticated, not stored: a text that is
   * copied to another row does not open there.
   */
  seal (plain: Uint8Array | string, context: string): string
  /** Decrypts under whichever key sealed it. Throws an Error for an unknown key, another context or any tampering. */
  open (sealed: string, context: string): Buffer
  /** Whether a text was sealed under the current key; if not, seal it again before the older key is dropped. */
  isCurrent (sealed: string): boolean
}

/**
 * AES-256-GCM under `keys`, `[current, …previous]`: the first one seals, all of them open. Each AES key is derived from
 * its text by HKDF-SHA256, so a secret of any length will do; check its strength where it is read. A sealed text is
 * `v1.<key id>.<iv>.<ciphertext and tag>` in base64url. A new 96-bit iv is drawn each time: seal fewer than 2^32 texts a key.
 */
export function secretBox (keys: readonly string[]): SecretBox {
  const [current, ...previous] = keys.map(deriveKey)
  if (current === undefined) throw new TypeError('secret box: "keys" is empty')
  const byId = new Map([...previous.reverse(), current].map((key) => [key.id, key.bytes]))
  const currentPrefix = `${VERSION}.${current.id}.`

  return {
    seal (plain, context) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', current.bytes, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(context))
      const box = Buffer.concat([cipher.update(Buffer.from(plain)), cipher.final(), cipher.getAuthTag()])
      return `${currentPrefix}${iv.toString('base64url')}.${box.toString('base64url')}`
    },

    open (sealed, context) {
      const [version, id, ivText, boxText, ...rest] = sealed.split('.')
      const key = byId.get(id ?? '')
      const iv = fromBase64url(ivText)
      const box = fromBase64url(boxText)
      if (version !== VERSION || rest.length > 0 || iv?.length !== IV_BYTES || box === null || box.length < TAG_BYTES) throw new Error('secret box: malformed')
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

/** Bytes of canonical base64url, or null: one sealed value has one spelling. */
function fromBase64url (text: string | undefined): Buffer | null {
  const bytes = Buffer.from(text ?? '', 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}
