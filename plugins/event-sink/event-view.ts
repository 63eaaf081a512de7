import { members } from '../../lib/json/scan.js'
import { publicId } from './public-id.js'
import type { AcceptedEvent } from '../../contracts/event-sink.js'

/**
 * Returns the canonical event as a JSON string: the client's properties, the additions of the server, and the
 * properties that only the server sets. It joins the original JSON, so that large numbers keep all digits.
 *
 * @example
 * const events = page.data.map(eventJson) // `[${events.join(',')}]` is JSON
 */
export function eventJson (event: AcceptedEvent): string {
  const { payload, additions, type, messageId, receivedAt, sourceId, authMethod, ip, userAgent } = event
  const found = new Map<string, string>()
  for (const { key, source } of members(payload)) {
    const before = found.get(key)
    found.set(key, before === undefined ? source : `${before},${source}`)
  }
  for (const { key, source } of members(additions)) found.set(key, source)
  const fields = {
    id: publicId(event),
    type,
    messageId,
    receivedAt: new Date(receivedAt).toISOString(),
    sourceId,
    authMethod,
    ip,
    userAgent
  }
  for (const [key, value] of Object.entries(fields)) found.set(key, `"${key}":${JSON.stringify(value)}`)
  return `{${Array.from(found.values()).join(',')}}`
}

/**
 * Returns the canonical event as an object, in camelCase. Numbers lose digits beyond JavaScript's precision; use
 * `eventJson` to keep them.
 *
 * @example
 * const events = page.data.map(viewEvent)
 */
export function viewEvent (event: AcceptedEvent): Record<string, unknown> {
  return JSON.parse(eventJson(event)) as Record<string, unknown>
}
