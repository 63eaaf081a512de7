import { INVALID_PIPELINE_KEY, INVALID_REQUEST } from '../../plugins/errors.js'
import type { AcceptedEvent } from '../../plugins/event-sink/sink.js'
import type { EventBody, EventType } from '../../schemas/event.js'
import type { BotCheck } from './bots.js'
import { addressIn, contextText, userAgentIn } from './context.js'
import type { BatchContext } from './context.js'
import { withoutMember } from './json-text.js'
import type { Reception } from './reception.js'
import { parseTimestamp } from './timestamp.js'

const DAY = 24 * 60 * 60 * 1000

/** An event that has passed its schema, and where it stood. */
export interface ReceivedEvent {
  value: Partial<EventBody>
  /** As it came. */
  text: string
  /** From the path, or its own. */
  type: EventType
  index: number
  batch: BatchContext | null
}

/** What an event is received under; of a webhook there is no request with a pipeline key. */
export type Receiver = Pick<Reception, 'source' | 'key' | 'authMethod' | 'receivedAt' | 'ip' | 'userAgent' | 'anonymousId' | 'messageId'> & Partial<Pick<Reception, 'browserAgent'>>

/**
 * The event as it is stored: its own text, and beside it the text of what the server fills in, so that nothing which came as JSON
 * is written anew. Throws `INVALID_REQUEST` for what no schema can say, `INVALID_PIPELINE_KEY` for a key that differs from the request's.
 */
export function normalise ({ value, text, type, index, batch }: ReceivedEvent, reception: Receiver, isBotAgent: BotCheck): AcceptedEvent {
  const { source, authMethod, receivedAt, userAgent } = reception
  const signed = authMethod === 'signature'
  const namesNobody = isNobody(value.userId) && isNobody(value.anonymousId)
  if (signed && namesNobody) throw invalid('', 'must have userId or anonymousId when it is signed')
  const timestamp = timestampOf(value.timestamp, receivedAt)
  const messageId = value.messageId ?? reception.messageId(index)
  const ip = (signed ? addressIn(value.context, batch) : null) ?? reception.ip
  const anonymousId = isNobody(value.anonymousId) ? reception.anonymousId(namesNobody) : null
  const bot = isBot(value.context, batch, reception, isBotAgent)
  const context = contextText(value.context, text, batch, ip, signed, bot)

  let additions = `{"environment":"${source.environment}"`
  if (value.type === undefined) additions += `,"type":"${type}"`
  if (value.messageId === undefined) additions += `,"messageId":"${messageId}"`
  if (anonymousId !== null) additions += `,"anonymousId":"${anonymousId}"`
  if (value.timestamp === undefined) additions += `,"timestamp":"${new Date(receivedAt).toISOString()}"`
  if (context !== null) additions += `,"context":${context}`
  additions += '}'

  return {
    orgId: source.orgId,
    sourceId: source.id,
    messageId,
    type,
    authMethod,
    receivedAt,
    timestamp,
    ip,
    userAgent,
    payload: withoutKey(value, text, reception.key),
    additions,
    bot
  }
}

/** By the user agent that the event names, else by that of the browser that sends it. */
function isBot (context: Partial<EventBody>['context'], batch: BatchContext | null, { source, browserAgent }: Receiver, isBotAgent: BotCheck): boolean {
  if (source.bots === 'ignore') return false
  const userAgent = userAgentIn(context, batch) ?? browserAgent ?? null
  return userAgent !== null && isBotAgent(userAgent)
}

function isNobody (id: string | null | undefined): boolean {
  return id === undefined || id === null || id === ''
}

function timestampOf (text: string | undefined, receivedAt: number): number {
  if (text === undefined) return receivedAt
  const timestamp = parseTimestamp(text)
  if (timestamp === null) throw invalid('/timestamp', 'must be an ISO-8601 date and time')
  if (timestamp > receivedAt + DAY) throw invalid('/timestamp', 'must not lie more than 24 hours ahead')
  return timestamp
}

/** A key in the event itself is never stored. */
function withoutKey ({ writeKey }: Partial<EventBody>, text: string, key: string): string {
  if (writeKey === undefined) return text
  if (writeKey !== key) throw new INVALID_PIPELINE_KEY({ reason: 'the key in an event differs' })
  return withoutMember(text, 'writeKey')
}

function invalid (path: string, message: string): InstanceType<typeof INVALID_REQUEST> {
  return new INVALID_REQUEST({ details: [{ path, message }] })
}
