import type { IncomingHttpHeaders } from 'node:http'

/** Query parameters that are safe to show: ids that the page chooses, names, times and pages of lists. */
const SHOWN = new Set([
  'after', 'action', 'dashboardId', 'e', 'embed_dashboard_id', 'embed_expirationtime', 'embed_mode',
  'embed_server_timestamp', 'embed_timestamp', 'embed_user_email', 'global', 'auto-page', 'mid'
])
/** The parameter that assigns a request of a mock product's page to a demo session. */
export const TRACE = 'trace'
const MAX_PATH = 400
const MAX_HEADER = 80
/** Headers that carry a credential, with the name under which the timeline shows them. */
const CREDENTIALS: ReadonlyArray<readonly [header: string, name: string]> = [
  ['authorization', 'Authorization'],
  ['x-proxy-auth-key', 'X-Proxy-Auth-Key'],
  ['x-plugin-token', 'X-Plugin-Token'],
  ['x-datafly-signature', 'X-Datafly-Signature'],
  ['x-csrf-token', 'X-CSRF-Token'],
  ['x-captcha-token', 'X-Captcha-Token']
]

/** Returns a secret in a form that identifies it without disclosing it: at most its first four characters. */
export function masked (secret: string): string {
  return secret.length < 16 ? '…' : `${secret.slice(0, 4)}…`
}

/** Returns a request's path and query without the values of parameters that may contain a credential. */
export function maskedPath (url: string): string {
  const at = url.indexOf('?')
  if (at === -1) return url.slice(0, MAX_PATH)
  const parameters = url.slice(at + 1).split('&').flatMap((parameter) => {
    const [name = '', ...value] = parameter.split('=')
    if (name === TRACE) return []
    return SHOWN.has(name) ? parameter : `${name}=${masked(value.join('='))}`
  })
  const query = parameters.length === 0 ? '' : `?${parameters.join('&')}`
  return (url.slice(0, at) + query).slice(0, MAX_PATH)
}

/** Returns the request's Origin and its credentials, masked. A cookie is named without a value. */
export function shownHeaders (headers: IncomingHttpHeaders): string[] {
  const shown: string[] = []
  if (headers.origin !== undefined) shown.push(`Origin: ${headers.origin.slice(0, MAX_HEADER)}`)
  if (headers.cookie !== undefined) shown.push('Cookie: …')
  for (const [header, name] of CREDENTIALS) {
    const value = headers[header]
    if (typeof value !== 'string') continue
    const [, scheme = '', secret = ''] = /^(Bearer |sha256=)?(.*)$/.exec(value) ?? []
    shown.push(`${name}: ${scheme}${masked(secret)}`)
  }
  return shown
}
