import { UPSTREAM_ERROR } from '../../lib/errors.js'
import type { UpstreamReply } from '../../lib/upstream-client/index.js'
import { upstreamRefusal } from '../../lib/upstream-client/refusal.js'
import type { UpstreamErrorFields, UpstreamRefusal } from '../../lib/upstream-client/refusal.js'
import { escapeHtml, escapeMessage } from './escape-message.js'

export interface EmbedReply {
  /** The JSON text for the SDK. */
  text: string
  /** Bold BI's refusal; `null` if it granted a token. */
  refusal: UpstreamRefusal | null
}

/** The secret of a call to Bold BI, which the response must not contain. */
export interface SentSecrets {
  /** The site's embed secret. */
  secret: string
  /** Whether the call contained the secret, as with the transport `'object'`. A response that repeats it is refused. */
  isSent: boolean
}

/** A signed query or its signature, which a server may repeat in an error. */
const SIGNED = /embed_signature|(?:[A-Za-z0-9+/]|%2[BF]){43}(?:=|%3D)/

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Returns the JSON object of the Bold BI server, unchanged except for its `Message`. Throws `UPSTREAM_ERROR` for a
 * status other than 200 (including a redirect), for a body that is not a JSON object and, if the call contained the
 * secret, for a body that repeats the secret or is nested too deep to search.
 */
export function readEmbedReply ({ statusCode, body }: UpstreamReply, { secret, isSent }: SentSecrets): EmbedReply {
  const text = decodeUtf8(body)
  const value = objectOf(text)
  if (statusCode !== 200) {
    const reason = `the Bold BI server responded with status ${statusCode}`
    throw new UPSTREAM_ERROR({
      reason,
      upstream: upstreamRefusal(statusCode, upstreamErrorOf(value), [secret, SIGNED])
    })
  }
  if (text === null || value === null) {
    throw new UPSTREAM_ERROR({ reason: 'the response of the Bold BI server is not a JSON object' })
  }
  // Searches the parsed value, because the text may escape characters of the secret. A short secret would match by
  // chance.
  if (isSent && secret.length >= 8 && containsSecret(value, secret)) {
    throw new UPSTREAM_ERROR({ reason: 'the Bold BI server repeated the embed secret' })
  }
  const isRefused = value.ApiStatus === false || value.Status === false
  return {
    text: escapeMessage(text, value.Message),
    refusal: isRefused ? upstreamRefusal(statusCode, upstreamErrorOf(value), [secret, SIGNED]) : null
  }
}

function decodeUtf8 (body: Buffer): string | null {
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
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : null
  } catch {
    return null
  }
}

/**
 * Returns the code and the message of a refusal. Bold BI's responses have a `Message`, and some have a `StatusCode`.
 */
function upstreamErrorOf (value: Record<string, unknown> | null): UpstreamErrorFields {
  if (value === null) return {}
  const { Code, StatusCode, code, Message, StatusMessage, message } = value
  return { code: Code ?? StatusCode ?? code, message: Message || StatusMessage || message }
}

function containsSecret (value: object, secret: string): boolean {
  try {
    return JSON.stringify(value).includes(JSON.stringify(secret).slice(1, -1))
  } catch {
    // JSON.parse accepts a greater depth than JSON.stringify.
    throw new UPSTREAM_ERROR({ reason: 'the response of the Bold BI server is nested too deep' })
  }
}

/** Returns a refusal in the form whose message the SDK shows. */
export function sdkRefusal (message: string): string {
  return JSON.stringify({ ApiStatus: false, Status: false, Message: escapeHtml(message) })
}
