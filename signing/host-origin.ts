import { parseUrl } from './parse-url.js'

const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?$/i

/**
 * Returns the origin for a scheme and a `Host` header in the spelling of browsers and other clients: the host in lower
 * case, without the default port of the scheme. An invalid `Host` is kept as it was sent.
 *
 * @example
 * hostOrigin('https', 'HOOKS.example.com:443')  // 'https://hooks.example.com'
 */
export function hostOrigin (protocol: string, host: string): string {
  const asSent = `${protocol}://${host}`
  return HOST.test(host) ? parseUrl(asSent)?.origin ?? asSent : asSent
}
