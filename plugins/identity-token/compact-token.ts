import { members } from '../../lib/json/scan.js'

/** The parts of a token that select its provider. Nothing is verified. */
export interface UnverifiedToken {
  issuer: string
  algorithm: string
}

/** Maximum length of a token. Tokens with many groups (Entra ID) have up to 12 000 characters. */
const MAX_LENGTH = 16_384
const COMPACT = /^([\w-]+)\.([\w-]+)\.[\w-]+$/
/** Types of tokens that identify a user. Logout tokens and security events are signed by the same keys. */
const TYPES: readonly unknown[] = [undefined, 'jwt', 'at+jwt', 'application/jwt', 'application/at+jwt']

/**
 * Reads the issuer and the algorithm of a signed token in compact form, before a key is looked up. Returns the reason,
 * for the log, if the token is malformed or of another type, repeats a claim, or has a critical header.
 */
export function readToken (token: unknown): UnverifiedToken | string {
  if (typeof token !== 'string' || token.length > MAX_LENGTH) return 'it is not a string of at most 16384 characters'
  const [, head, body] = COMPACT.exec(token) ?? []
  const header = parsedPart(head)
  const claims = parsedPart(body)
  if (header === null || claims === null) return 'it is not a signed JWT, or it repeats a claim'
  const { alg, typ, crit } = header
  if (crit !== undefined) return 'its header "crit" is not supported'
  if (!TYPES.includes(typeof typ === 'string' ? typ.toLowerCase() : typ)) return 'its header "typ" is of another use'
  if (typeof alg !== 'string') return 'its header has no "alg"'
  return typeof claims['iss'] === 'string' ? { issuer: claims['iss'], algorithm: alg } : 'it has no "iss"'
}

/** Returns the object of a part; `null` if it is none or repeats a name, whose value would depend on the parser. */
function parsedPart (part: string | undefined): Record<string, unknown> | null {
  if (part === undefined) return null
  const text = Buffer.from(part, 'base64url').toString()
  try {
    const value = JSON.parse(text) as unknown
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
    const names = members(text).map(({ key }) => key)
    return new Set(names).size === names.length ? value as Record<string, unknown> : null
  } catch {
    return null
  }
}
