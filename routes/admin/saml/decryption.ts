import { constants, createDecipheriv, privateDecrypt } from 'node:crypto'
import type { CipherGCMTypes } from 'node:crypto'

import {
  attribute,
  elementsOf,
  ENCRYPTION,
  InvalidMessage,
  isNamed,
  requiredChild,
  SIGNATURE,
  textOf
} from './xml.js'

const OAEP = 'http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p'
const SHA1 = 'http://www.w3.org/2000/09/xmldsig#sha1'
const TAG_BYTES = 16
/** By algorithm: the name for Node.js, and the bytes of the initialization vector. 3DES is refused. */
const CIPHERS: Readonly<Record<string, { name: string, ivBytes: number, isGcm: boolean }>> = {
  'http://www.w3.org/2009/xmlenc11#aes128-gcm': { name: 'aes-128-gcm', ivBytes: 12, isGcm: true },
  'http://www.w3.org/2009/xmlenc11#aes256-gcm': { name: 'aes-256-gcm', ivBytes: 12, isGcm: true },
  'http://www.w3.org/2001/04/xmlenc#aes128-cbc': { name: 'aes-128-cbc', ivBytes: 16, isGcm: false },
  'http://www.w3.org/2001/04/xmlenc#aes256-cbc': { name: 'aes-256-cbc', ivBytes: 16, isGcm: false }
}

/** The XML of a decrypted element, and the key that decrypted it. */
export interface Decrypted {
  xml: string
  key: string
}

/**
 * Decrypts an `EncryptedAssertion` or `EncryptedID` with the first of the private keys that fits. Throws
 * `InvalidMessage` with one and the same message for every ciphertext that does not decrypt.
 *
 * @param keys PEM
 */
export function decryptElement (encrypted: Element, keys: readonly string[]): Decrypted {
  if (keys.length === 0) throw new InvalidMessage('the response is encrypted, and the provider has no private key here')
  const data = requiredChild(encrypted, ENCRYPTION, 'EncryptedData')
  const [encryptedKey, ...others] = elementsOf(encrypted).filter((element) =>
    isNamed(element, ENCRYPTION, 'EncryptedKey')
  )
  if (encryptedKey === undefined || others.length > 0) throw new InvalidMessage('there must be one EncryptedKey')
  checkKeyTransport(encryptedKey)
  const cipher = CIPHERS[attribute(requiredChild(data, ENCRYPTION, 'EncryptionMethod'), 'Algorithm') ?? '']
  if (cipher === undefined) throw new InvalidMessage('the encryption algorithm is not accepted')
  const [wrapped, content] = [cipherValue(encryptedKey), cipherValue(data)]
  for (const key of keys) {
    try {
      const secret = privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, wrapped)
      return { xml: decrypt(cipher, secret, content), key }
    } catch {
      // Another key may fit.
    }
  }
  throw new InvalidMessage('the encrypted element cannot be decrypted')
}

function checkKeyTransport (encryptedKey: Element): void {
  const method = requiredChild(encryptedKey, ENCRYPTION, 'EncryptionMethod')
  const digest = elementsOf(method).find((element) => isNamed(element, SIGNATURE, 'DigestMethod'))
  const isAccepted = attribute(method, 'Algorithm') === OAEP &&
    (digest === undefined || attribute(digest, 'Algorithm') === SHA1)
  if (!isAccepted) throw new InvalidMessage('the key transport algorithm is not accepted; it must be rsa-oaep-mgf1p')
}

function cipherValue (element: Element): Buffer {
  const data = requiredChild(element, ENCRYPTION, 'CipherData')
  return Buffer.from(textOf(requiredChild(data, ENCRYPTION, 'CipherValue')), 'base64')
}

function decrypt (
  { name, ivBytes, isGcm }: { name: string, ivBytes: number, isGcm: boolean },
  secret: Buffer,
  content: Buffer
): string {
  const iv = content.subarray(0, ivBytes)
  if (isGcm) {
    const decipher = createDecipheriv(name as CipherGCMTypes, secret, iv, { authTagLength: TAG_BYTES })
    decipher.setAuthTag(content.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(content.subarray(ivBytes, -TAG_BYTES)), decipher.final()]).toString()
  }
  const decipher = createDecipheriv(name, secret, iv)
  // The padding of XML encryption is arbitrary bytes, and then their number: not the padding of PKCS #7.
  decipher.setAutoPadding(false)
  const padded = Buffer.concat([decipher.update(content.subarray(ivBytes)), decipher.final()])
  const padding = padded.at(-1) ?? 0
  if (padding < 1 || padding > ivBytes) throw new Error('wrong padding')
  return padded.subarray(0, -padding).toString()
}
