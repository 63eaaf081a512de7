const MAX_LENGTH = 4096
const KEY_OR_TEXT = /"(?:[^"\\]|\\.)*"(\s*:)?/g
const HEADER_MEMBERS = new Set(['alg', 'typ', 'kid'])

export interface JwtParts {
  /** The key id; `undefined`: the token has no `kid`. */
  kid: string | undefined
  claims: Readonly<Record<string, unknown>>
}

/**
 * Parses a JWT without verifying its signature. Returns `null` for a token that this server never issues: an algorithm
 * other than HS256, a header property other than `alg`, `typ` and `kid` (so no `jku`, `x5u`, `jwk`, `crit`, `b64`), a
 * repeated property, an object or array among the claims, or more than 4096 characters.
 */
export function readJwt (token: string): JwtParts | null {
  if (token.length > MAX_LENGTH) return null
  const [headerText, claimsText, signature, ...rest] = token.split('.')
  if (headerText === undefined || claimsText === undefined || signature === undefined || rest.length > 0) return null
  const header = flatObject(headerText)
  const claims = flatObject(claimsText)
  if (header === null || claims === null || header['alg'] !== 'HS256') return null
  const { typ = 'JWT', kid } = header
  if (typ !== 'JWT' || (kid !== undefined && typeof kid !== 'string')) return null
  if (!Object.keys(header).every((name) => HEADER_MEMBERS.has(name))) return null
  return { kid, claims }
}

function flatObject (segment: string): Record<string, unknown> | null {
  const text = Buffer.from(segment, 'base64url').toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const members = Object.values(value)
  if (members.some((member) => typeof member === 'object')) return null
  // Of two properties with the same name, parsers keep different ones.
  return writtenMembers(text) === members.length ? value as Record<string, unknown> : null
}

/** Counts property names: in valid JSON, a string followed by a colon is always a property name. */
function writtenMembers (json: string): number {
  let count = 0
  for (const [, colon] of json.matchAll(KEY_OR_TEXT)) {
    if (colon !== undefined) count++
  }
  return count
}
