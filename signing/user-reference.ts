import { hmacSha256, sameSecret } from './digest.js'
import { CLOCK_TOLERANCE } from './issue-time.js'
import { assertKnownOptions } from './known-options.js'
import type { KnownOptions } from './known-options.js'

const VERSION = 'v1'
const REFERENCE = /^(v1\.([\w-]+))\.([\w-]{43})$/
const MAX_LENGTH = 2048
const MAX_SUBJECT = 256
const RESERVED = ['aud', 'iat', 'exp']
const OF_SIGN: KnownOptions<SignUserReferenceOptions> = { key: true, audience: true, ttl: true, now: true }
const OF_VERIFY: KnownOptions<VerifyUserReferenceOptions> = { keys: true, audience: true, now: true }

/**
 * Prefix of the signed string, so that a signature for another purpose is never valid here, even under the same key.
 */
const SIGNATURE_PREFIX = 'fastify-gatehouse user reference\n'

/** Milliseconds, 12 h: a page uses one reference for every guest token that it requests while it is open. */
export const USER_REFERENCE_TTL = 43_200_000

/**
 * The user of a reference, plus claims of the host. The bearer can read every claim. `Claims` is the type of the host's
 * claims; by default they are `unknown`.
 *
 * @example
 * const claims: UserReferenceClaims<{ company: string }> = { sub: user.id, company: user.company }
 */
export type UserReferenceClaims<Claims extends object = Record<string, unknown>> = Claims & {
  /** The user's id, 1 to 256 characters. */
  sub: string
}

/** The claims of a valid reference, including the claims that `signUserReference` adds. */
export type UserReference<Claims extends object = Record<string, unknown>> = UserReferenceClaims<Claims> & {
  /** The purpose of the reference. */
  aud: string
  /** When it was signed, in unix milliseconds. */
  iat: number
  /** When it expires, in unix milliseconds. */
  exp: number
}

export interface SignUserReferenceOptions {
  /** The current key. The caller checks its strength. */
  key: string
  /** The single purpose of the reference; verification with another audience fails. */
  audience: string
  /** How long the reference is valid, in milliseconds. Default: 43 200 000 (12 h). */
  ttl?: number
  /** The time of signing, in unix milliseconds. Default: `Date.now()`. */
  now?: number
}

export interface VerifyUserReferenceOptions {
  /** `[current, …previous]`: every key verifies. */
  keys: readonly string[]
  /** The audience that the reference must have. */
  audience: string
  /** Current time, in unix milliseconds. Default: `Date.now()`. */
  now?: number
}

/**
 * Creates a signed, expiring, single-purpose reference to a user that is safe in a URL:
 * `v1.<base64url JSON>.<base64url HMAC-SHA256>`.
 *
 * @throws TypeError unless `sub` is a string of 1 to 256 characters, and for a claim named `aud`, `iat` or `exp`.
 * @throws RangeError unless `ttl` is a positive integer, and for a reference over 2 048 characters.
 * @example
 * const reference = signUserReference({ sub: user.id }, { key, audience: 'guest-token' })
 */
export function signUserReference<Claims extends object> (
  claims: UserReferenceClaims<Claims>,
  options: SignUserReferenceOptions
): string {
  assertKnownOptions('signUserReference', options, OF_SIGN)
  const { key, audience, ttl = USER_REFERENCE_TTL, now = Date.now() } = options
  if (!isSubject(claims.sub)) throw new TypeError(`sub: must be a string of 1 to ${MAX_SUBJECT} characters`)
  const reserved = RESERVED.find((name) => Object.hasOwn(claims, name))
  if (reserved !== undefined) throw new TypeError(`${reserved}: is set by signUserReference and cannot be a claim`)
  if (audience === '') throw new TypeError('audience: must not be empty')
  if (!Number.isSafeInteger(ttl) || ttl <= 0) throw new RangeError('ttl: must be a positive integer of milliseconds')
  const json = JSON.stringify({ ...claims, aud: audience, iat: now, exp: now + ttl })
  const message = `${VERSION}.${Buffer.from(json).toString('base64url')}`
  const reference = `${message}.${signature(message, key)}`
  if (reference.length > MAX_LENGTH) {
    throw new RangeError(`claims: are too large; a reference must not exceed ${MAX_LENGTH} characters`)
  }
  return reference
}

/** Why a reference is refused, for a log. */
export type ReferenceProblem = 'malformed' | 'signature' | 'audience' | 'ahead' | 'expired'

/**
 * Returns the claims of a reference, or `null` if the signature is invalid, the reference has expired, its `iat` is
 * more than 30 s ahead of `now`, or it has another audience. Never throws for hostile input.
 *
 * @example
 * const claims = verifyUserReference(request.query.ref, { keys: [key], audience: 'guest-token' })
 */
export function verifyUserReference (reference: string, options: VerifyUserReferenceOptions): UserReference | null {
  assertKnownOptions('verifyUserReference', options, OF_VERIFY)
  const claims = checkUserReference(reference, options)
  return typeof claims === 'string' ? null : claims
}

/** Returns the claims of a reference as `verifyUserReference` does, or the reason why it is refused. */
export function checkUserReference (
  reference: string,
  options: VerifyUserReferenceOptions
): UserReference | ReferenceProblem {
  const { keys, audience, now = Date.now() } = options
  const [, signed, payload, presented] = typeof reference !== 'string' || reference.length > MAX_LENGTH
    ? []
    : REFERENCE.exec(reference) ?? []
  if (signed === undefined || payload === undefined || presented === undefined) return 'malformed'
  // Compares the strings, not the decoded bytes, so that only the canonical spelling of a signature is valid.
  if (!keys.some((key) => sameSecret(presented, signature(signed, key)))) return 'signature'
  const claims = parse(payload)
  if (claims === null) return 'malformed'
  return claims.aud === audience ? timeProblem(claims, now) ?? claims : 'audience'
}

/** Returns whether a reference is dated ahead of the clock, beyond the tolerance of servers, or has expired. */
export function timeProblem ({ iat, exp }: UserReference, now: number): ReferenceProblem | null {
  if (iat - now > CLOCK_TOLERANCE) return 'ahead'
  return now < exp ? null : 'expired'
}

function signature (message: string, key: string): string {
  // Anyone can sign with an empty key.
  if (key === '') throw new TypeError('user reference: a key is empty')
  return hmacSha256(key, SIGNATURE_PREFIX + message, 'base64url')
}

function parse (payload: string): UserReference | null {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return isReference(claims) ? claims : null
  } catch {
    return null
  }
}

function isReference (claims: unknown): claims is UserReference {
  if (typeof claims !== 'object' || claims === null) return false
  const { sub, aud, iat, exp } = claims as Record<string, unknown>
  return isSubject(sub) && typeof aud === 'string' && Number.isSafeInteger(iat) && Number.isSafeInteger(exp)
}

function isSubject (sub: unknown): sub is string {
  return typeof sub === 'string' && sub !== '' && sub.length <= MAX_SUBJECT
}
