const MAX_LENGTH = 2048

/**
 * The one spelling of a server's address: `origin + path` without a slash at its end, by a single parse with the WHATWG
 * parser that the request would use. Null for what is no plain http(s) address: credentials, a query or a fragment (empty
 * ones too), white space, control characters, back slashes. Two addresses are the same server if, and only if, their spellings are equal texts.
 */
export function normaliseServerUrl (text: string): string | null {
  if (text.length > MAX_LENGTH || /[\s\p{Cc}\\?#]/u.test(text)) return null
  const url = parse(text)
  if (url === null) return null
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '' || url.password !== '') return null
  return url.origin + url.pathname.replace(/\/$/, '')
}

function parse (text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}
