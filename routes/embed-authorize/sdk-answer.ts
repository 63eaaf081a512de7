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
 * a redirect included, and for a body that is no JSON object, whatever its media type says.
 */
export function relayAnswer ({ statusCode, body }: UpstreamReply): EmbedAnswer {
  if (statusCode !== 200) throw new UPSTREAM_ERROR({ reason: `the Bold BI server answered with status ${statusCode}` })
  const { text, value } = jsonObject(body)
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

/** A refusal in the only form whose text the SDK shows. */
export function sdkRefusal (message: string): string {
  return JSON.stringify({ ApiStatus: false, Status: false, Message: escapeHtml(message) })
}
