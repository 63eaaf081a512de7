import { createSecretKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

import { hmacSha256 } from '../digest.js'

/** Returns the HMAC key for a secret. Throws a TypeError for a secret that is empty or not well-formed Unicode. */
export function widgetKey (secret: string): KeyObject {
  if (typeof secret !== 'string' || secret === '') throw new TypeError('secret: must not be empty')
  // Otherwise encodeURI throws a URIError that does not name the field.
  if (/\p{Cs}/u.test(secret)) throw new TypeError('secret: contains a lone surrogate, which is not well-formed Unicode')
  return createSecretKey(encodeURI(secret), 'utf8')
}

/** Returns the second half of a token for its first half. */
export function widgetSignature (message: string, key: KeyObject): string {
  return hmacSha256(key, message, 'base64url')
}
