import { hmacSha256 } from './digest.js'

/** The second half of a token for its first half. Throws a TypeError for a secret that is empty or no well-formed Unicode. */
export function widgetSignature (text: string, secret: string): string {
  if (typeof secret !== 'string' || secret === '') throw new TypeError('secret: must not be empty')
  // encodeURI would throw its own URIError here, without saying where.
  if (/\p{Cs}/u.test(secret)) throw new TypeError('secret: contains a lone surrogate, which is not well-formed Unicode')
  return hmacSha256(encodeURI(secret), text).toString('base64url')
}
