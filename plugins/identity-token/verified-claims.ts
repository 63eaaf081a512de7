import { earliestIssue } from '../../signing/issue-time.js'
import type { CheckedProvider } from './provider-options.js'

/** The verified token of a request. `Claims` types the provider's claims. */
export interface IdentityToken<Claims extends object = Record<string, unknown>> {
  /** The user's id at the provider, 1 to 256 characters. Another provider may use it for another user. */
  sub: string
  /** The provider's `issuer`. */
  issuer: string
  /** The provider's `name`, or `null`. */
  provider: string | null
  /** When the token was issued (`iat`), in epoch milliseconds, for revocations; never in the future. */
  issuedAt: number
  /** When the token expires (`exp`), in epoch milliseconds. */
  expiresAt: number
  /** All claims as the provider sent them; times in seconds. */
  claims: Claims
}

const MAX_SUBJECT = 256

/** The claims of a JWT as `jose` types them; its types are not installed in every project. */
interface JwtClaims {
  sub?: string
  aud?: string | string[]
  iat?: number
  exp?: number
  [name: string]: unknown
}

/**
 * Checks the claims that jose does not check, and returns the token. Returns the reason, for the log, if a claim is
 * refused. The signature, `iss`, `exp` and `nbf` are valid, and `aud` if the provider has an `audience`.
 */
export function verifiedClaims (
  claims: JwtClaims,
  provider: CheckedProvider,
  { now, clockTolerance }: { now: number, clockTolerance: number }
): IdentityToken | string {
  const { sub, aud, iat = Infinity, exp = 0 } = claims
  const { azp } = claims
  if (typeof sub !== 'string' || sub === '' || sub.length > MAX_SUBJECT) return '"sub" is not 1 to 256 characters'
  // A token for other recipients; without `audience` this server is none of them.
  if (provider.audience === null && aud !== undefined) return 'it has "aud", and the provider has no "audience"'
  const parties = provider.authorizedParties
  if (parties !== null && !(typeof azp === 'string' && parties.includes(azp))) return '"azp" is not accepted'
  if (iat * 1_000 > now + clockTolerance) return '"iat" is in the future'
  // Its bearer would also have to prove that it has a key.
  if (claims['cnf'] !== undefined) return 'it is bound to a key of its bearer ("cnf")'
  if (claims['events'] !== undefined) return 'it is a logout token or a security event ("events")'
  for (const [name, values] of provider.expectedClaims) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined
    const isExpected = (each: unknown): boolean => values.some((expected) => expected === each)
    if (!(Array.isArray(value) ? value.some(isExpected) : isExpected(value))) return `"${name}" is not accepted`
  }
  return {
    sub,
    issuer: provider.issuer,
    provider: provider.name,
    issuedAt: earliestIssue(iat * 1_000, now),
    expiresAt: exp * 1_000,
    claims
  }
}
