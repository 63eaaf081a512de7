import { hmacSha256 } from '../digest.js'

/** The key that a secret stands for. Throws a TypeError for one that is empty or no well-formed Unicode. */
export function widgetKey (secret: string): string {
  if (typeof secret !== 'string' || secret === '') throw new TypeError('secret: must not be empty')
  // encodeURI would throw its own URIError here, without saying where.
  if (/\p{Cs}/u.test(secret)) throw new TypeError('secret: contains a lone surrogate, which is not well-formed Unicode')
  return encodeURI(secret)
}

/** The second half of a token for its first half. */
export function widgetSignature (text: string, key: string): string {
  return hmacSha256(key, text, 'base64url')
}
