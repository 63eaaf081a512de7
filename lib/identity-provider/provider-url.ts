import { parseUrl } from '../../signing/parse-url.js'

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** Returns whether a URL is on this machine, where http is accepted. */
export function isLoopback (url: URL): boolean {
  return LOOPBACK.test(url.hostname)
}

/**
 * Returns the URL of a provider, or `null` for another scheme than https, a user name or a password. With
 * `allowLoopback` http is accepted on this machine.
 */
export function providerUrl (text: unknown, allowLoopback: boolean): URL | null {
  const url = typeof text === 'string' ? parseUrl(text) : null
  if (url === null || url.username !== '' || url.password !== '') return null
  return url.protocol === 'https:' || (url.protocol === 'http:' && allowLoopback && isLoopback(url)) ? url : null
}
