import { hmacSha256 } from '../digest.js'
import { identityEntries } from './identity.js'
import type { EmbedIdentity } from './identity.js'
import type { EmbedQuery } from './query.js'

/**
 * The string to sign: the client's checked query, `&embed_user_email=`, `&embed_server_timestamp=` and the server's other keys. It is ASCII and
 * stands in a request target as it is: what is signed is sent, and nothing may encode it again.
 * `serverTimestamp` is in unix seconds; one in milliseconds is a RangeError. Throws a TypeError that names the
 * field for an identity that must not be signed.
 */
export function buildEmbedQuery (query: EmbedQuery, identity: EmbedIdentity, serverTimestamp: number): string {
  if (!Number.isSafeInteger(serverTimestamp) || serverTimestamp <= 0 || serverTimestamp >= 1e11) {
    throw new RangeError('serverTimestamp: must be a time in whole unix seconds')
  }
  const [user, ...others] = identityEntries(identity)
  // A `+` that is left as it is means a space to most servers, so that another value would be read than the one that was checked.
  const client = query.map(([key, value]) => `${key}=${value.replaceAll('+', '%2B')}`)
  return [...client, user, `embed_server_timestamp=${serverTimestamp}`, ...others].join('&')
}

/** Bold BI's signature of a query: base64 of HMAC-SHA256(secret as UTF-8, query as UTF-8) (Bold BI, authorization server page). */
export function signEmbedQuery (query: string, secret: string): string {
  if (secret === '') throw new TypeError('embedSecret: must not be empty')
  return hmacSha256(secret, query, 'base64')
}

/**
 * The query with `&embed_signature=` and its signature as raw base64, as Bold BI's authorization server page and every
 * published sample send it: `+`, `/` and `=` are not percent-encoded. Send the result byte for byte, in a request
 * target or in a body; nothing may encode it again. Throws a TypeError for a query that could not be sent as it was
 * signed.
 *
 * @example
 * const signed = signedEmbedQuery(buildEmbedQuery(query, { email: 'ann@example.com' }, 1_756_891_690), embedSecret)
 * const answer = await request(`${apiUrl}/embed/authorize?${signed}`)
 */
export function signedEmbedQuery (query: string, secret: string): string {
  if (!/^[!-~]+$/.test(query) || query.includes('#')) {
    throw new TypeError('query: must be printable ASCII without spaces and "#"')
  }
  return `${query}&embed_signature=${signEmbedQuery(query, secret)}`
}
