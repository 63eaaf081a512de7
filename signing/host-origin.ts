const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?$/i

/**
 * The origin of a scheme and a `Host` header, in the spelling that browsers and other clients use for it: the host in lower case, without
 * the scheme's default port. A `Host` that is none stays as it came.
 *
 * @example
 * hostOrigin('https', 'HOOKS.example.com:443')  // 'https://hooks.example.com'
 */
export function hostOrigin (protocol: string, host: string): string {
  const asSent = `${protocol}://${host}`
  return HOST.test(host) && URL.canParse(asSent) ? new URL(asSent).origin : asSent
}
