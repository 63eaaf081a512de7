import { assertPrintable } from '../printable.js'
import { parseWidgetMessage } from './message.js'
import type { WidgetTokenPayload } from './message.js'
import { widgetKey, widgetSignature } from './signature.js'

export { widgetMessage } from './message.js'
export type { WidgetMessage, WidgetTokenPayload } from './message.js'
export { verifyWidgetToken } from './verify-widget-token.js'
export type { VerifiedWidgetToken, VerifyWidgetTokenOptions, WidgetTokenFault, WidgetTokenVerdict } from './verify-widget-token.js'

/**
 * Signs a dxFeed widget token (dxFeed, widget token page): `P.S`, where P is standard base64 without padding of
 * `encodeURI("issuer,session,,expiration,issuedAt,message")` and S is base64url without padding of
 * HMAC-SHA256(encodeURI(secret), P). The times are explicit and of any unit: how long a token may live is for the caller to say.
 * Throws a TypeError or RangeError that names the field for anything that would change the token's meaning.
 */
export function signWidgetToken (payload: WidgetTokenPayload, secret: string): string {
  const { issuer, session, expiration, issuedAt, message } = payload
  assertPrintable('issuer', issuer, ',')
  assertPrintable('session', session, ',')
  assertTime('expiration', expiration)
  assertTime('issuedAt', issuedAt)
  parseWidgetMessage(message)
  return signCheckedPayload(payload, widgetKey(secret))
}

/** For a payload whose parts are known to be right and a secret's `widgetKey`: looks at neither. */
export function signCheckedPayload ({ issuer, session, expiration, issuedAt, message }: WidgetTokenPayload, key: string): string {
  const payload = encodeURI(`${issuer},${session},,${expiration},${issuedAt},${message}`)
  const text = Buffer.from(payload, 'ascii').toString('base64').replace(/=+$/, '')
  return `${text}.${widgetSignature(text, key)}`
}

function assertTime (field: string, time: number): void {
  if (!Number.isSafeInteger(time) || time < 0) throw new RangeError(`${field}: must be a non-negative integer`)
}
