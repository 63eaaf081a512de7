import { EVENT_TYPES } from '../../../schemas/event.js'
import type { AcceptedEvent, EventType } from '../../../contracts/event-sink.js'

/** What was read of a message. */
export interface DecodedMessage {
  events: AcceptedEvent[]
  /** Lines that are no event. */
  broken: number
}

const decoder = new TextDecoder('utf-8', { fatal: true })
const TYPES: ReadonlySet<string> = new Set(EVENT_TYPES)
const LATEST = 8.64e15

/**
 * An event as one line of JSON, its payload and additions in it as texts, so that both come back to the letter. JSON writes what UTF-8 lacks,
 * lone surrogates, as escapes.
 */
export function encodeEvent (event: AcceptedEvent): string {
  const { orgId, sourceId, messageId, type, authMethod, receivedAt, timestamp, ip, userAgent, payload, additions, bot } = event
  return JSON.stringify({ orgId, sourceId, messageId, type, authMethod, receivedAt, timestamp, ip, userAgent, payload, additions, bot })
}

/** Reads a message of one event, or of several, a line each. */
export function decodeMessage (body: Uint8Array): DecodedMessage {
  const message: DecodedMessage = { events: [], broken: 0 }
  for (const line of linesOf(body)) {
    const event = decodeEvent(line)
    if (event === null) message.broken++
    else message.events.push(event)
  }
  return message
}

function linesOf (body: Uint8Array): string[] {
  try {
    return decoder.decode(body).split('\n')
  } catch {
    return ['']
  }
}

/** `null` for what no sink was given. */
function decodeEvent (line: string): AcceptedEvent | null {
  const value = parse(line)
  if (typeof value !== 'object' || value === null) return null
  const { orgId, sourceId, messageId, type, authMethod, receivedAt, timestamp, ip, userAgent, payload, additions, bot } = value as Record<string, unknown>
  if (!isText(orgId) || !isText(sourceId) || !isText(messageId) || !isText(ip) || !(isText(userAgent) || userAgent === null)) return null
  if (!isType(type) || (authMethod !== 'key' && authMethod !== 'signature')) return null
  if (!isTime(receivedAt) || !isTime(timestamp) || !isObjectText(payload) || !isObjectText(additions)) return null
  const event: AcceptedEvent = { orgId, sourceId, messageId, type, authMethod, receivedAt, timestamp, ip, userAgent, payload, additions }
  if (typeof bot === 'boolean') event.bot = bot
  return event
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isText (value: unknown): value is string {
  return typeof value === 'string'
}

function isType (value: unknown): value is EventType {
  return isText(value) && TYPES.has(value)
}

function isTime (value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= LATEST
}

function isObjectText (value: unknown): value is string {
  if (!isText(value)) return false
  const read = parse(value)
  return typeof read === 'object' && read !== null && !Array.isArray(read)
}
