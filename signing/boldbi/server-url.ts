const MAX_LENGTH = 2048

/**
 * Returns the canonical form of a server's URL: `origin + path` without a trailing slash, parsed once by the WHATWG
 * parser that the request uses. Returns `null` unless it is a plain http(s) URL: credentials, a query or a fragment
 * (even an empty one), white space, control characters and backslashes are refused. Two URLs address the same server if
 * and only if their canonical forms are equal.
 */
export function normaliseServerUrl (value: string): string | null {
  if (value.length > MAX_LENGTH || /[\s\p{Cc}\\?#]/u.test(value)) return null
  const url = parse(value)
  if (url === null) return null
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '' || url.password !== '') return null
  return url.origin + url.pathname.replace(/\/$/, '')
}

function parse (value: string): URL | null {
  try {
    return new URL(value)
  } catch {
    return null
  }
}
