/** An upstream's refusal of a request, safe to log. It is never sent to the caller. */
export interface UpstreamRefusal {
  /** The HTTP status of the upstream's reply. */
  upstreamStatus: number
  /** The upstream's error code; `null` if it is missing or does not look like a code. */
  upstreamCode: string | null
  /** The upstream's message: one line of at most 200 printable characters, without our secrets; `null` if none. */
  upstreamMessage: string | null
}

/** The properties of an upstream's error as received, of any type. */
export interface UpstreamErrorFields {
  code?: unknown
  message?: unknown
}

/** The part of a refusal that an audit entry keeps. */
export type UpstreamOutcome = Pick<UpstreamRefusal, 'upstreamStatus' | 'upstreamCode'>

const MAX_MESSAGE = 200
/** Maximum number of characters of a message that are read; an upstream may send megabytes. */
const MAX_READ = 2_000
const CODE = /^[\w.:-]{1,64}$/
/** Control and format characters (bidirectional overrides among them), lone surrogates and all separators. */
const UNPRINTABLE = /[\p{C}\p{Z}]+/gu
/** A word that shares this many consecutive characters with a secret is treated as part of it. */
const SHARED = 8

/**
 * Returns the log fields of an upstream's refusal. Every word that contains one of `secrets`, or 8 consecutive
 * characters of one, in any letter case, becomes `***`, because products repeat the refused key in whole or in part. A
 * secret that is not known in full, such as a token of the upstream, is given as a pattern.
 *
 * @example
 * const refusal = upstreamRefusal(401, { code: 'AUTHENTICATION_ERROR', message: `Bad key ${apiKey}` }, [apiKey])
 * // { upstreamStatus: 401, upstreamCode: 'AUTHENTICATION_ERROR', upstreamMessage: 'Bad key ***' }
 * throw new UPSTREAM_ERROR({ upstream: refusal })
 */
export function upstreamRefusal (
  statusCode: number, { code, message }: UpstreamErrorFields, secrets: ReadonlyArray<string | RegExp>
): UpstreamRefusal {
  const secret = partOf(secrets)
  return { upstreamStatus: statusCode, upstreamCode: codeOf(code, secret), upstreamMessage: messageOf(message, secret) }
}

/** Returns the properties of an audit entry about a refusal, or `undefined` if the upstream refused nothing. */
export function upstreamOutcome (refusal: UpstreamRefusal | undefined): UpstreamOutcome | undefined {
  return refusal && { upstreamStatus: refusal.upstreamStatus, upstreamCode: refusal.upstreamCode }
}

function codeOf (code: unknown, secret: RegExp | null): string | null {
  const text = typeof code === 'number' ? String(code) : code
  return typeof text === 'string' && CODE.test(text) && secret?.test(text) !== true ? text : null
}

function messageOf (message: unknown, secret: RegExp | null): string | null {
  if (typeof message !== 'string') return null
  const words = message.slice(0, MAX_READ).replace(UNPRINTABLE, ' ').trim().split(' ')
  // Secrets are removed before the message is cut, because a cut could leave a part of one.
  const text = words.map((word) => secret?.test(word) === true ? '***' : word).join(' ')
  return text === '' ? null : Array.from(text).slice(0, MAX_MESSAGE).join('')
}

/** Returns a pattern that matches any part of a secret, or `null` without secrets. */
function partOf (secrets: ReadonlyArray<string | RegExp>): RegExp | null {
  const parts = new Set<string>()
  for (const word of secrets.flatMap((secret) => typeof secret === 'string' ? secret.split(/\s+/) : [])) {
    if (word === '') continue
    const size = Math.min(word.length, SHARED)
    for (let at = 0; at + size <= word.length; at++) {
      parts.add(word.slice(at, at + size).replace(/[^\w]/g, '\\$&'))
    }
  }
  for (const secret of secrets) if (typeof secret !== 'string') parts.add(secret.source)
  return parts.size === 0 ? null : new RegExp([...parts].join('|'), 'i')
}
