import { sameSecret } from '../digest.js'
import { parseWidgetMessage } from './message.js'
import type { WidgetMessage, WidgetTokenPayload } from './message.js'
import { widgetKey, widgetSignature } from './signature.js'

const TOKEN = /^([A-Za-z0-9+/]+)\.([A-Za-z0-9_-]{43})$/
const MAX_LENGTH = 8192
const TIME = /^(?:0|[1-9][0-9]{0,15})$/

/** Between the two units: 1973 read as milliseconds, the year 5138 read as seconds. */
const UNIT_BORDER = 1e11

export interface VerifyWidgetTokenOptions {
  /** The secret that dxFeed gave, as it is. */
  secret: string
  /** The unit of the token's times: `ms` as the widget page has it, `s` as the token knowledge base has it. Default: `ms`. */
  timeUnit?: 'ms' | 's'
  /** The time of the check, in unix milliseconds whatever `timeUnit` is. Default: `Date.now()`. */
  now?: number
  /** How far ahead of `now` the token may claim to be issued, in milliseconds; its end is not stretched. Default: 30 000. */
  tolerance?: number
  /** The only issuer accepted. Default: any. */
  issuer?: string
  /** The only session accepted. Default: any. */
  session?: string
  /** The longest time from issue to expiry, in milliseconds. Default: no limit. */
  maxTtl?: number
}

/** Why a token is refused; for a log, not for its bearer. */
export type WidgetTokenFault =
  'malformed' | 'bad_signature' | 'wrong_time_unit' | 'issued_in_future' | 'expired' | 'lifetime_too_long' | 'wrong_issuer' | 'wrong_session'

export interface VerifiedWidgetToken extends WidgetTokenPayload, WidgetMessage {}

export type WidgetTokenVerdict = { valid: true, payload: VerifiedWidgetToken } | { valid: false, reason: WidgetTokenFault }

/** Checks a widget token; hostile text is a verdict, never an exception. Throws a TypeError only for a secret that could not have signed. */
export function verifyWidgetToken (token: string, options: VerifyWidgetTokenOptions): WidgetTokenVerdict {
  const [, text, signature] = typeof token !== 'string' || token.length > MAX_LENGTH ? [] : TOKEN.exec(token) ?? []
  if (text === undefined || signature === undefined) return refused('malformed')
  // The texts are compared, not the bytes they stand for: of all spellings of one signature only the canonical one holds.
  if (!sameSecret(signature, widgetSignature(text, widgetKey(options.secret)))) return refused('bad_signature')
  const payload = parsePayload(text)
  if (payload === null) return refused('malformed')
  const fault = timeFault(payload, options) ?? scopeFault(payload, options)
  return fault === null ? { valid: true, payload } : refused(fault)
}

function parsePayload (text: string): VerifiedWidgetToken | null {
  const encoded = Buffer.from(text, 'base64').toString('latin1')
  try {
    const decoded = decodeURI(encoded)
    if (encodeURI(decoded) !== encoded) return null
    const [issuer, session, notBefore, expiration, issuedAt, ...message] = decoded.split(',')
    if (issuer === undefined || session === undefined || notBefore !== '' || !TIME.test(expiration ?? '') || !TIME.test(issuedAt ?? '')) return null
    const parts = parseWidgetMessage(message.join(','))
    return { issuer, session, expiration: Number(expiration), issuedAt: Number(issuedAt), message: message.join(','), ...parts }
  } catch {
    return null
  }
}

function timeFault (
  { expiration, issuedAt }: VerifiedWidgetToken, { timeUnit = 'ms', now = Date.now(), tolerance = 30_000, maxTtl = Infinity }: VerifyWidgetTokenOptions
): WidgetTokenFault | null {
  const isMilliseconds = timeUnit === 'ms'
  if ((expiration >= UNIT_BORDER) !== isMilliseconds || (issuedAt >= UNIT_BORDER) !== isMilliseconds) return 'wrong_time_unit'
  const unit = isMilliseconds ? 1 : 1000
  if (expiration <= issuedAt) return 'malformed'
  // Asked in this way round, a `now` that is no number refuses too.
  if (!(issuedAt * unit <= now + tolerance)) return 'issued_in_future'
  if (!(now < expiration * unit)) return 'expired'
  return (expiration - issuedAt) * unit <= maxTtl ? null : 'lifetime_too_long'
}

function scopeFault (payload: VerifiedWidgetToken, { issuer, session }: VerifyWidgetTokenOptions): WidgetTokenFault | null {
  if (issuer !== undefined && payload.issuer !== issuer) return 'wrong_issuer'
  return session !== undefined && payload.session !== session ? 'wrong_session' : null
}

function refused (reason: WidgetTokenFault): WidgetTokenVerdict {
  return { valid: false, reason }
}
