import { UPSTREAM_ERROR } from '../../plugins/errors.js'
import type { UpstreamReply } from '../../plugins/upstream-client.js'
import { escapeHtml, escapeMessage } from './escape-message.js'

export interface EmbedAnswer {
  /** The JSON text for the SDK. */
  text: string
  /** Whether Bold BI let the user in. */
  granted: boolean
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * The JSON object of the Bold BI server, as it came but for its `Message`. Throws `UPSTREAM_ERROR` for any other status than 200,
 * a redirect included, for a body that is no JSON object, whatever its media type says, and for one that repeats `sent`, the secret
 * that the call held, if any, or is too deep to be searched for it.
 */
export function relayAnswer ({ statusCode, body }: UpstreamReply, sent: string | null = null): EmbedAnswer {
  if (statusCode !== 200) throw new UPSTREAM_ERROR({ reason: `the Bold BI server answered with status ${statusCode}` })
  const { text, value } = jsonObject(body)
  // Not in the text as it came, in which any character may be escaped. A shorter secret would be found in anything.
  if (sent !== null && sent.length >= 8 && holds(value, sent)) throw new UPSTREAM_ERROR({ reason: 'the Bold BI server repeated the embed secret' })
  return { text: escapeMessage(text, value.Message), granted: value.ApiStatus !== false && value.Status !== false }
}

function jsonObject (body: Buffer): { text: string, value: Record<string, unknown> } {
  try {
    const text = utf8.decode(body)
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { text, value: value as Record<string, unknown> }
  } catch {}
  throw new UPSTREAM_ERROR({ reason: 'the Bold BI server sent no JSON object' })
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
