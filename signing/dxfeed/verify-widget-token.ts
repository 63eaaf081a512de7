import { sameSecret } from '../digest.js'
import { assertKnownOptions } from '../known-options.js'
import type { KnownOptions } from '../known-options.js'
import { parseWidgetMessage } from './message.js'
import type { WidgetMessage, WidgetTokenPayload } from './message.js'
import { widgetKey, widgetSignature } from './signature.js'

const KNOWN: KnownOptions<VerifyWidgetTokenOptions> = {
  secret: true,
  timeUnit: true,
  now: true,
  tolerance: true,
  issuer: true,
  session: true,
  maxTtl: true
}
const RENAMED = { leeway: 'tolerance', maxLifetime: 'maxTtl' }
const TOKEN = /^([A-Za-z0-9+/]+)\.([A-Za-z0-9_-]{43})$/
const MAX_LENGTH = 8192
const TIME = /^(?:0|[1-9][0-9]{0,15})$/

/** Separates the two units: in milliseconds it is the year 1973, in seconds the year 5138. */
const MILLISECONDS_FROM = 1e11

export interface VerifyWidgetTokenOptions {
  /** The secret from dxFeed, unchanged. */
  secret: string
  /** Unit of the token's times: `ms` as on dxFeed's widget page, `s` as in its token knowledge base. Default: `ms`. */
  timeUnit?: 'ms' | 's'
  /** Current time, in unix milliseconds whatever `timeUnit` is. Default: `Date.now()`. */
  now?: number
  /**
   * Maximum time, in milliseconds, that `issuedAt` may be ahead of `now`. Does not extend the expiry. Default: 30 000.
   */
  tolerance?: number
  /** The only accepted issuer. Default: any issuer. */
  issuer?: string
  /** The only accepted session. Default: any session. */
  session?: string
  /** Maximum time from issue to expiry, in milliseconds. Default: no limit. */
  maxTtl?: number
}

/** Why a token is refused. Log it, but do not send it to the client. */
export type WidgetTokenReason =
  | 'malformed'
  | 'bad_signature'
  | 'wrong_time_unit'
  | 'issued_in_future'
  | 'expired'
  | 'lifetime_too_long'
  | 'wrong_issuer'
  | 'wrong_session'

export interface VerifiedWidgetToken extends WidgetTokenPayload, WidgetMessage {}

export type WidgetTokenVerdict = { valid: true, payload: VerifiedWidgetToken } | {
  valid: false
  reason: WidgetTokenReason
}

/**
 * Verifies a widget token. Invalid tokens give a verdict, never an exception. Throws a TypeError only for an invalid
 * secret.
 *
 * @example
 * const verdict = verifyWidgetToken(token, { secret, issuer: 'example' })
 * if (verdict.valid) console.log(verdict.payload.user)
 */
export function verifyWidgetToken (token: string, options: VerifyWidgetTokenOptions): WidgetTokenVerdict {
  assertKnownOptions('verifyWidgetToken', options, KNOWN, RENAMED)
  const [, message, signature] = typeof token !== 'string' || token.length > MAX_LENGTH ? [] : TOKEN.exec(token) ?? []
  if (message === undefined || signature === undefined) return refused('malformed')
  // Compares the strings, not the decoded bytes, so that only the canonical spelling of a signature is valid.
  if (!sameSecret(signature, widgetSignature(message, widgetKey(options.secret)))) return refused('bad_signature')
  const payload = parsePayload(message)
  if (payload === null) return refused('malformed')
  const reason = checkTimes(payload, options) ?? checkScope(payload, options)
  return reason === null ? { valid: true, payload } : refused(reason)
}

function parsePayload (message: string): VerifiedWidgetToken | null {
  const encoded = Buffer.from(message, 'base64').toString('latin1')
  try {
    const decoded = decodeURI(encoded)
    if (encodeURI(decoded) !== encoded) return null
    const [issuer, session, notBefore, expiration, issuedAt, ...message] = decoded.split(',')
    if (
      issuer === undefined || session === undefined || notBefore !== '' || !TIME.test(expiration ?? '') ||
      !TIME.test(issuedAt ?? '')
    ) return null
    const parts = parseWidgetMessage(message.join(','))
    return {
      issuer,
      session,
      expiration: Number(expiration),
      issuedAt: Number(issuedAt),
      message: message.join(','),
      ...parts
    }
  } catch {
    return null
  }
}

function checkTimes (
  { expiration, issuedAt }: VerifiedWidgetToken,
  { timeUnit = 'ms', now = Date.now(), tolerance = 30_000, maxTtl = Infinity }: VerifyWidgetTokenOptions
): WidgetTokenReason | null {
  const isMilliseconds = timeUnit === 'ms'
  if ((expiration >= MILLISECONDS_FROM) !== isMilliseconds || (issuedAt >= MILLISECONDS_FROM) !== isMilliseconds) {
    return 'wrong_time_unit'
  }
  const unit = isMilliseconds ? 1 : 1000
  if (expiration <= issuedAt) return 'malformed'
  // The negated comparison also refuses a `now` that is NaN.
  if (!(issuedAt * unit <= now + tolerance)) return 'issued_in_future'
  if (!(now < expiration * unit)) return 'expired'
  return (expiration - issuedAt) * unit <= maxTtl ? null : 'lifetime_too_long'
}

function checkScope (
  payload: VerifiedWidgetToken,
  { issuer, session }: VerifyWidgetTokenOptions
): WidgetTokenReason | null {
  if (issuer !== undefined && payload.issuer !== issuer) return 'wrong_issuer'
  return session !== undefined && payload.session !== session ? 'wrong_session' : null
}

function refused (reason: WidgetTokenReason): WidgetTokenVerdict {
  return { valid: false, reason }
}
