import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

import { INVALID_REQUEST } from '../../../lib/errors.js'

const MIN_BITS = 2048

/**
 * Returns an RSA certificate in the usual form of PEM. Throws `INVALID_REQUEST`. Its dates are not checked: SAML uses a
 * certificate only to carry a key, and the administrator trusts it by listing it.
 *
 * @param path the JSON pointer of the certificate, for the error
 */
export function readCertificate (text: string, path: string): X509Certificate {
  const bare = text.trim()
  const pem = bare.startsWith('-----BEGIN') ? bare : pemOf(bare)
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(pem)
  } catch {
    throw invalidSetting(path, 'must be an X.509 certificate in PEM')
  }
  if (!isStrongRsa(certificate.publicKey)) throw invalidSetting(path, 'must have an RSA key of at least 2048 bits')
  return certificate
}

/** Returns the PEM form of a certificate in base64 without header and footer. */
export function pemOf (base64: string): string {
  const lines = base64.replace(/\s/g, '').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** Returns the base64 of a PEM certificate, without header and footer. */
export function base64Of (pem: string): string {
  return new X509Certificate(pem).raw.toString('base64')
}

/** Returns an RSA private key. Throws `INVALID_REQUEST`, without the key. */
export function readPrivateKey (pem: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw invalidSetting('/secret', 'must be a private key in PEM, without a passphrase')
  }
  if (!isStrongRsa(key)) throw invalidSetting('/secret', 'must be an RSA key of at least 2048 bits')
  return key
}

function isStrongRsa (key: KeyObject): boolean {
  return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_BITS
}

/** The error of one setting or of the secret. */
export function invalidSetting (path: string, message: string): Error {
  return new INVALID_REQUEST({ details: [{ path, message }] })
}
