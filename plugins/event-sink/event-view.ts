import { members } from '../../lib/json/text.js'
import type { AcceptedEvent } from '../../contracts/event-sink.js'

/**
 * The canonical event as JSON text: the client's members as they were sent, then what the server filled in, then what only the server may
 * say. The text is spliced, so that numbers which JavaScript cannot hold are shown digit for digit.
 *
 * @example
 * const events = page.data.map(eventText) // `[${events.join(',')}]` is JSON
 */
export function eventText (event: AcceptedEvent): string {
  const { payload, additions, type, messageId, receivedAt, sourceId, authMethod, ip, userAgent } = event
  const found = new Map<string, string>()
  for (const { key, text } of members(payload)) {
    const before = found.get(key)
    found.set(key, before === undefined ? text : `${before},${text}`)
  }
  for (const { key, text } of members(additions)) found.set(key, text)
  const own = { type, messageId, receivedAt: new Date(receivedAt).toISOString(), sourceId, authMethod, ip, userAgent }
  for (const [key, value] of Object.entries(own)) found.set(key, `"${key}":${JSON.stringify(value)}`)
  return `{${Array.from(found.values()).join(',')}}`
}

/** The canonical event as a value, camelCase. Numbers are as JavaScript reads them; `eventText` keeps their digits. */
export function viewEvent (event: AcceptedEvent): Record<string, unknown> {
  return JSON.parse(eventText(event)) as Record<string, unknown>
}
