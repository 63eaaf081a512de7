import { hmacSha256 } from '../digest.js'
import { identityEntries } from './identity.js'
import type { EmbedIdentity } from './identity.js'
import type { EmbedQuery } from './query.js'

/**
 * Returns the string to sign: the client's validated query, `&embed_user_email=`, `&embed_server_timestamp=` and the
 * other keys of the server. The string is ASCII and is sent exactly as it was signed; do not encode it again.
 * `serverTimestamp` is in unix seconds.
 *
 * @throws RangeError for a timestamp in milliseconds; TypeError that names the field for an invalid identity.
 */
export function buildEmbedQuery (query: EmbedQuery, identity: EmbedIdentity, serverTimestamp: number): string {
  if (!Number.isSafeInteger(serverTimestamp) || serverTimestamp <= 0 || serverTimestamp >= 1e11) {
    throw new RangeError('serverTimestamp: must be a time in whole unix seconds')
  }
  const [user, ...others] = identityEntries(identity)
  // Most servers decode an unencoded `+` as a space, so they would read another value than the validated one.
  const client = query.map(([key, value]) => `${key}=${value.replaceAll('+', '%2B')}`)
  return [...client, user, `embed_server_timestamp=${serverTimestamp}`, ...others].join('&')
}

/**
 * Returns Bold BI's signature of a query: base64 of HMAC-SHA256 with secret and query as UTF-8 (Bold BI documentation,
 * authorization server).
 *
 * @example
 * signEmbedQuery('embed_nonce=…&embed_user_email=ann@example.com', embedSecret)
 */
export function signEmbedQuery (query: string, secret: string): string {
  if (secret === '') throw new TypeError('embedSecret: must not be empty')
  return hmacSha256(secret, query, 'base64')
}

/**
 * Returns the query with `&embed_signature=` and its signature as unencoded base64, as in Bold BI's documentation
 * (authorization server) and samples: `+`, `/` and `=` are not percent-encoded. Send the result byte for byte, in a
 * request target or a body; do not encode it again. Throws a TypeError for a query that cannot be sent exactly as it
 * was signed.
 *
 * @example
 * const signed = signedEmbedQuery(buildEmbedQuery(query, { email: 'ann@example.com' }, 1_756_891_690), embedSecret)
 * const response = await request(`${apiUrl}/embed/authorize?${signed}`)
 */
export function signedEmbedQuery (query: string, secret: string): string {
  if (!/^[!-~]+$/.test(query) || query.includes('#')) {
    throw new TypeError('query: must be printable ASCII without spaces and without "#"')
  }
  return `${query}&embed_signature=${signEmbedQuery(query, secret)}`
}
