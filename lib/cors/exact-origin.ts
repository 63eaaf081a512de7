import { parseUrl } from '../../signing/parse-url.js'

const MAX_LENGTH = 300
/**
 * An origin as a browser sends it, without a path or a list, so that every parser reads it equally. Browsers write http
 * and https hosts in lower case; hosts of other schemes keep their case (`safari-web-extension://`).
 */
const HTTP = 'https?:\\/\\/(?:\\[[0-9a-f:.]+\\]|[a-z0-9._-]+)'
const OTHER = '(?!https?:)[a-z][a-z0-9+.-]*:\\/\\/(?:\\[[0-9a-f:.]+\\]|[A-Za-z0-9._-]+)'
const FORM = new RegExp(`^(?:${HTTP}|${OTHER})(?::[0-9]{1,5})?$`)
/** Documents of the first six schemes have the origin `null` or share one; the other schemes have no documents. */
const NO_ORIGIN = new Set(['about:', 'blob:', 'data:', 'file:', 'filesystem:', 'javascript:', 'ftp:', 'ws:', 'wss:'])

/**
 * Returns whether a string has the form of an origin in a browser's `Origin` header.
 *
 * @example
 * hasOriginForm('capacitor://localhost')  // true
 * hasOriginForm('null')                   // false
 */
export function hasOriginForm (value: string): boolean {
  return value.length <= MAX_LENGTH && FORM.test(value)
}

/**
 * Returns whether a string is an exact origin. Schemes without an own origin (`file:`, `data:`, `blob:`, …) are
 * refused.
 *
 * @example
 * isExactOrigin('https://app.example.com')   // true
 * isExactOrigin('capacitor://localhost')     // true
 * isExactOrigin('https://app.example.com/')  // false
 */
export function isExactOrigin (value: unknown): value is string {
  return typeof value === 'string' && hasOriginForm(value) && originOf(value) === value
}

/**
 * Returns what is wrong with a configured origin, including the spelling that browsers send, if there is one.
 *
 * @example
 * originProblem('https://bücher.example')  // 'browsers send "https://bücher.example" as "https://xn--bcher-kva.example"'
 */
export function originProblem (value: unknown): string {
  const sent = typeof value === 'string' ? originOf(value) : null
  if (sent !== null && isExactOrigin(sent)) return `browsers send ${JSON.stringify(value)} as ${JSON.stringify(sent)}`
  return `${JSON.stringify(value) ?? String(value)} is not an origin`
}

function originOf (value: string): string | null {
  const url = value.length > MAX_LENGTH ? null : parseUrl(value)
  if (url === null) return null
  const { protocol, host, origin } = url
  if (host === '' || NO_ORIGIN.has(protocol)) return null
  return origin === 'null' ? `${protocol}//${host}` : origin
}
