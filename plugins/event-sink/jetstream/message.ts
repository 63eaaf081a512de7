import { EVENT_TYPES } from '../../../schemas/event.js'
import type { AcceptedEvent, AuthMethod, EventType } from '../../../contracts/event-sink.js'

/** The content of a message. */
export interface DecodedMessage {
  events: AcceptedEvent[]
  /** Number of lines that are not valid events. */
  broken: number
}

const decoder = new TextDecoder('utf-8', { fatal: true })
const TYPES: ReadonlySet<string> = new Set(EVENT_TYPES)
const MAX_TIMESTAMP = 8.64e15

/**
 * Encodes an event as one line of JSON. Payload and additions are strings in it, so that they stay byte for byte the
 * same. JSON escapes lone surrogates, which UTF-8 cannot encode.
 */
export function encodeEvent (event: AcceptedEvent): string {
  return JSON.stringify(fieldsOf(event))
}

/** Returns the properties of an event that a message contains. */
function fieldsOf (event: AcceptedEvent): AcceptedEvent {
  const fields: AcceptedEvent = {
    orgId: event.orgId,
    sourceId: event.sourceId,
    messageId: event.messageId,
    type: event.type,
    authMethod: event.authMethod,
    receivedAt: event.receivedAt,
    timestamp: event.timestamp,
    ip: event.ip,
    userAgent: event.userAgent,
    payload: event.payload,
    additions: event.additions
  }
  if (typeof event.bot === 'boolean') fields.bot = event.bot
  return fields
}

/**
 * Decodes a message of one event, or of several events as lines.
 *
 * @example
 * const { events, broken } = decodeMessage(message.data)
 */
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

/** Returns `null` for a line that is not a valid event. */
function decodeEvent (line: string): AcceptedEvent | null {
  const value = parse(line)
  return isEvent(value) ? fieldsOf(value) : null
}

function isEvent (value: unknown): value is AcceptedEvent {
  if (typeof value !== 'object' || value === null) return false
  const event = value as Record<keyof AcceptedEvent, unknown>
  return isString(event.orgId) && isString(event.sourceId) && isString(event.messageId) && isType(event.type) &&
    isAuthMethod(event.authMethod) && isTime(event.receivedAt) && isTime(event.timestamp) &&
    isString(event.ip) && (event.userAgent === null || isString(event.userAgent)) && isObjectJson(event.payload) &&
    isObjectJson(event.additions)
}

function parse (json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function isString (value: unknown): value is string {
  return typeof value === 'string'
}

function isType (value: unknown): value is EventType {
  return isString(value) && TYPES.has(value)
}

function isAuthMethod (value: unknown): value is AuthMethod {
  return value === 'key' || value === 'signature'
}

function isTime (value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= MAX_TIMESTAMP
}

function isObjectJson (value: unknown): value is string {
  if (!isString(value)) return false
  const read = parse(value)
  return typeof read === 'object' && read !== null && !Array.isArray(read)
}
