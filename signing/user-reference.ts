import { hmacSha256, sameSecret } from './digest.js'
import { CLOCK_TOLERANCE } from './issue-time.js'

const VERSION = 'v1'
const REFERENCE = /^(v1\.([\w-]+))\.([\w-]{43})$/
const MAX_LENGTH = 2048
const MAX_SUBJECT = 256
const RESERVED = ['aud', 'iat', 'exp']

/** Goes before what is signed: no signature made for another purpose can be one of these, even under the same key. */
const DOMAIN = 'fastify-gatehouse user reference\n'

/** 12 h: a page asks for a new guest token under the same reference each time that its token has expired. */
export const USER_REFERENCE_TTL = 43_200_000

/**
 * The user of a reference, and whatever else the host wants to know when the reference returns. Its bearer can read all
 * of it. `Claims` types the host's own claims, which are `unknown` by default.
 *
 * @example
 * const claims: UserReferenceClaims<{ company: string }> = { sub: user.id, company: user.company }
 */
export type UserReferenceClaims<Claims extends object = Record<string, unknown>> = Claims & {
  /** The user's id, 1 to 256 characters. */
  sub: string
}

/** The claims of a valid reference, with those that `signUserReference` added. */
export type UserReference<Claims extends object = Record<string, unknown>> = UserReferenceClaims<Claims> & {
  /** The purpose of the reference. */
  aud: string
  /** When it was signed, in unix milliseconds. */
  iat: number
  /** When it expires, in unix milliseconds. */
  exp: number
}

export interface SignUserReferenceOptions {
  /** The current key; check its strength where it is read. */
  key: string
  /** The one thing that the reference is for; another audience refuses it. */
  audience: string
  /** How long it is valid, in milliseconds. Default: 43 200 000 (12 h). */
  ttl?: number
  /** The time of signing, in unix milliseconds. Default: `Date.now()`. */
  now?: number
}

export interface VerifyUserReferenceOptions {
  /** `[current, …previous]`: all of them verify. */
  keys: readonly string[]
  audience: string
  /** The time of the check, in unix milliseconds. Default: `Date.now()`. */
  now?: number
}

/**
 * A signed, expiring, single-purpose reference to a user, fit for a URL: `v1.<base64url JSON>.<base64url HMAC-SHA256>`.
 * Throws a TypeError for a subject that is no text of 1 to 256 characters or for a claim named `aud`, `iat` or
 * `exp`, and a RangeError for a ttl that is no positive integer and for a reference over 2 048 characters.
 */
export function signUserReference<Claims extends object> (
  claims: UserReferenceClaims<Claims>, { key, audience, ttl = USER_REFERENCE_TTL, now = Date.now() }: SignUserReferenceOptions
): string {
  if (!isSubject(claims.sub)) throw new TypeError(`sub: must be a text of 1 to ${MAX_SUBJECT} characters`)
  const reserved = RESERVED.find((name) => Object.hasOwn(claims, name))
  if (reserved !== undefined) throw new TypeError(`${reserved}: is set by signUserReference and cannot be a claim`)
  if (audience === '') throw new TypeError('audience: must not be empty')
  if (!Number.isSafeInteger(ttl) || ttl <= 0) throw new RangeError('ttl: must be a positive integer of milliseconds')
  const json = JSON.stringify({ ...claims, aud: audience, iat: now, exp: now + ttl })
  const text = `${VERSION}.${Buffer.from(json).toString('base64url')}`
  const reference = `${text}.${signature(text, key)}`
  if (reference.length > MAX_LENGTH) throw new RangeError(`claims: make a reference of more than ${MAX_LENGTH} characters`)
  return reference
}

/**
 * Returns the claims of a reference, or `null` if it is not ours, was altered, has expired, was signed more than 30 s
 * ahead of `now`, or has another audience. Never throws for hostile input.
 */
export function verifyUserReference (text: string, { keys, audience, now = Date.now() }: VerifyUserReferenceOptions): UserReference | null {
  const [, signed, payload, presented] = typeof text !== 'string' || text.length > MAX_LENGTH ? [] : REFERENCE.exec(text) ?? []
  if (signed === undefined || payload === undefined || presented === undefined) return null
  // The texts are compared, not the bytes they stand for: of all spellings of one signature only the canonical one holds.
  if (!keys.some((key) => sameSecret(presented, signature(signed, key)))) return null
  const claims = parse(payload)
  return claims !== null && claims.aud === audience && isCurrent(claims, now) ? claims : null
}

/** Whether the reference has been signed, give or take the clocks of the servers, and has not expired. */
export function isCurrent ({ iat, exp }: UserReference, now: number): boolean {
  return iat - now <= CLOCK_TOLERANCE && now < exp
}

function signature (text: string, key: string): string {
  // An empty key would sign for everyone.
  if (key === '') throw new TypeError('user reference: a key is empty')
  return hmacSha256(key, DOMAIN + text, 'base64url')
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
