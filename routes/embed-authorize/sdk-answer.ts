import { UPSTREAM_ERROR } from '../../lib/errors.js'
import type { UpstreamReply } from '../../lib/upstream-client/index.js'
import { upstreamRefusal } from '../../lib/upstream-client/refusal.js'
import type { UpstreamFault, UpstreamRefusal } from '../../lib/upstream-client/refusal.js'
import { escapeHtml, escapeMessage } from './escape-message.js'

export interface EmbedAnswer {
  /** The JSON text for the SDK. */
  text: string
  /** What Bold BI said when it refused the user; `null` if it granted a token. */
  refusal: UpstreamRefusal | null
}

/** What a call to Bold BI held that must not come back: the embed secret, and the text that was signed with it. */
export interface SentSecrets {
  /** The site's embed secret. */
  secret: string
  /** Whether the call itself contained the secret, as an object does; a reply that repeats it is then not relayed. */
  isSent: boolean
}

/** A signed query, or its signature: a server that refuses one may repeat it. */
const SIGNED = /embed_signature|(?:[A-Za-z0-9+/]|%2[BF]){43}(?:=|%3D)/

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Returns the JSON object of the Bold BI server, unchanged except for its `Message`. Throws `UPSTREAM_ERROR` for any
 * status other than 200 (a redirect included), for a body that is not a JSON object, whatever its media type says,
 * and, if the call contained the secret, for a body that repeats it or is nested too deep to be searched for it.
 */
export function relayAnswer ({ statusCode, body }: UpstreamReply, { secret, isSent }: SentSecrets): EmbedAnswer {
  const text = textOf(body)
  const value = objectOf(text)
  if (statusCode !== 200) {
    const reason = `the Bold BI server answered with status ${statusCode}`
    throw new UPSTREAM_ERROR({ reason, upstream: upstreamRefusal(statusCode, upstreamErrorOf(value), [secret, SIGNED]) })
  }
  if (text === null || value === null) throw new UPSTREAM_ERROR({ reason: 'the Bold BI server sent no JSON object' })
  // The raw text may spell the secret with escapes. A shorter secret would be found in anything.
  if (isSent && secret.length >= 8 && holds(value, secret)) {
    throw new UPSTREAM_ERROR({ reason: 'the Bold BI server repeated the embed secret' })
  }
  const isRefused = value.ApiStatus === false || value.Status === false
  return {
    text: escapeMessage(text, value.Message),
    refusal: isRefused ? upstreamRefusal(statusCode, upstreamErrorOf(value), [secret, SIGNED]) : null
  }
}

function textOf (body: Buffer): string | null {
  try {
    return utf8.decode(body)
  } catch {
    return null
  }
}

function objectOf (text: string | null): Record<string, unknown> | null {
  if (text === null) return null
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : null
  } catch {
    return null
  }
}

/** The code and message of a refusal. Bold BI documents no code: its replies have a `Message`, some a `StatusCode`. */
function upstreamErrorOf (value: Record<string, unknown> | null): UpstreamFault {
  if (value === null) return {}
  const { Code, StatusCode, code, Message, StatusMessage, message } = value
  return { code: Code ?? StatusCode ?? code, message: Message || StatusMessage || message }
}

function holds (value: object, secret: string): boolean {
  try {
    return JSON.stringify(value).includes(JSON.stringify(secret).slice(1, -1))
  } catch {
    // JSON can be parsed to any depth, but not printed.
    throw new UPSTREAM_ERROR({ reason: 'the Bold BI server sent JSON that is too deep' })
  }
}

/** A refusal in the only form whose text the SDK shows. */
export function sdkRefusal (message: string): string {
  return JSON.stringify({ ApiStatus: false, Status: false, Message: escapeHtml(message) })
}
