import type { ProvenIdentity } from '../sso/protocol.js'
import type { CompleteSettings } from './settings.js'

type Claims = Readonly<Record<string, unknown>>

interface IdentityParts {
  settings: CompleteSettings
  /** The claims of the ID token, and of userinfo below them. */
  claims: Claims & { sub: string }
  /** The claim that contains the roles; `null` for none. */
  roleClaim: string | null
  idToken: string | null
  now: number
}

/** Entra ID states with this claim, as `true`, `1` or text, that the owner of the email's domain has confirmed it. */
const EDOV = 'xms_edov'
const EDOV_VALUES: readonly unknown[] = [true, 1, '1', 'true']
const MAX_ROLE_VALUES = 1_000

/** Returns the person that verified claims describe. */
export function identityOf ({ settings, claims, roleClaim, idToken, now }: IdentityParts): ProvenIdentity {
  const { email_claim: emailClaim, email_verified_claim: verifiedClaim, trust_email: trustEmail } = settings
  const email = claims[emailClaim]
  const isConfirmed = verifiedClaim === EDOV ? EDOV_VALUES.includes(claims[EDOV]) : claims[verifiedClaim] === true
  const sid = claims['sid']
  return {
    subject: claims.sub,
    email: typeof email === 'string' ? email : null,
    isEmailVerified: typeof email === 'string' && (trustEmail || isConfirmed),
    roleValues: roleClaim === null ? [] : stringsOf(claimAt(claims, roleClaim)),
    mfaAt: mfaTimeOf(claims, settings, now),
    providerSession: typeof sid === 'string' && sid !== '' && sid.length <= 255 ? sid : null,
    hint: idToken
  }
}

/** Returns a claim by its name, or by a path such as `realm_access.roles` (Keycloak). */
function claimAt (claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  return name.split('.').reduce<unknown>((value, part) =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, part)
      ? (value as Record<string, unknown>)[part]
      : undefined, claims)
}

function stringsOf (value: unknown): string[] {
  const values = Array.isArray(value) ? value.slice(0, MAX_ROLE_VALUES) : [value]
  return values.filter((item): item is string => typeof item === 'string')
}

/**
 * Returns when the person proved a second factor, epoch milliseconds; `null` if a trusted value of `amr` or `acr` is
 * missing. Without `auth_time` the time is unknown: 0, so that the proof is not fresh.
 */
function mfaTimeOf (claims: Claims, { trust_mfa: trusted }: CompleteSettings, now: number): number | null {
  const methods = [...stringsOf(claims['amr']), ...stringsOf(claims['acr'])]
  if (!methods.some((method) => trusted.includes(method))) return null
  const at = claims['auth_time']
  return typeof at === 'number' && at > 0 ? Math.min(at * 1_000, now) : 0
}
