import { randomUUID } from 'node:crypto'

import type { ProviderState } from './state.js'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const LIFETIME_SECONDS = 120
const TIME_LIMIT = 5_000

/**
 * Posts a logout token to the app (OpenID Connect Back-Channel Logout 1.0).
 *
 * @param subject `sid: null` stands for all sessions of the person
 * @returns a sentence for the person: whether the app has accepted the token
 */
export async function notifyApp (
  { client: { id, backchannelLogoutUrl }, issuer, keys, now }: ProviderState,
  { sub, sid }: { sub: string, sid: string | null }
): Promise<string> {
  if (backchannelLogoutUrl === null) return 'The app has no back-channel logout: its own session continues.'
  const iat = Math.floor(now() / 1000)
  const token = await keys.sign('logout+jwt', {
    iss: issuer,
    aud: id,
    iat,
    exp: iat + LIFETIME_SECONDS,
    jti: randomUUID(),
    sub,
    ...sid === null ? {} : { sid },
    events: { [EVENT]: {} }
  })
  try {
    const { ok, status } = await fetch(backchannelLogoutUrl, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIME_LIMIT)
    })
    return ok ? 'The app has been notified.' : `The app refused the notification with the HTTP status ${status}.`
  } catch {
    return 'The app could not be reached: its own session continues.'
  }
}
