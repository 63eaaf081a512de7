import { CLOCK_TOLERANCE_SECONDS } from './client-configuration.js'
import type { KnownProvider } from './known-providers.js'
import type { OidcPackages } from './packages.js'
import type { CompleteSettings } from './settings.js'

/** Whose sessions a provider ends, and what makes the token usable once. */
export interface LogoutNotice {
  jti: string
  /** When the token can be forgotten, epoch milliseconds. */
  endsAt: number
  subject: string | null
  providerSession: string | null
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
/** Maximum age of a token, in seconds: it is remembered for so long. */
const MAX_AGE_SECONDS = 3_600
const MAX_ID = 255

/**
 * Verifies a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6). Returns the reason, for the log, if it
 * is not valid. Rejects with `UNAVAILABLE` if its key is unknown and the provider does not respond.
 */
export async function verifyLogoutToken (
  { jose }: OidcPackages,
  { keys }: KnownProvider,
  { issuer, client_id: audience, id_token_signed_response_alg: algorithm }: CompleteSettings,
  { token, now }: { token: string, now: number }
): Promise<LogoutNotice | string> {
  try {
    const { payload } = await jose.jwtVerify(token, (header, part) => keys.find(header, part), {
      issuer,
      audience,
      typ: 'logout+jwt',
      algorithms: [algorithm],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      maxTokenAge: MAX_AGE_SECONDS,
      requiredClaims: ['iat', 'exp', 'jti', 'events'],
      currentDate: new Date(now)
    })
    const { jti = '', exp = 0, iat = 0, nonce, events } = payload
    if (nonce !== undefined) return 'it contains "nonce"'
    if (!isEvent(events)) return '"events" has no logout'
    if (!isId(jti)) return '"jti" is empty or longer than 255 characters'
    const { subject, providerSession } = { subject: payload.sub, providerSession: payload['sid'] }
    if (subject === undefined && providerSession === undefined) return 'it has neither "sub" nor "sid"'
    if (![subject, providerSession].every((id) => id === undefined || isId(id))) return '"sub" or "sid" is malformed'
    return {
      jti,
      endsAt: (Math.min(exp, iat + MAX_AGE_SECONDS) + CLOCK_TOLERANCE_SECONDS + 1) * 1_000,
      subject: subject ?? null,
      providerSession: providerSession as string | undefined ?? null
    }
  } catch (error) {
    // Messages of jose name the failed check and contain no part of the token.
    if (error instanceof jose.errors.JOSEError) return error.message
    throw error
  }
}

function isEvent (events: unknown): boolean {
  if (typeof events !== 'object' || events === null || !Object.hasOwn(events, EVENT)) return false
  const event = (events as Record<string, unknown>)[EVENT]
  return typeof event === 'object' && event !== null && !Array.isArray(event)
}

function isId (id: unknown): id is string {
  return typeof id === 'string' && id !== '' && id.length <= MAX_ID
}
