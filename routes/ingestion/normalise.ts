import { isUnspecified } from '../../lib/http/client-address.js'
import { INVALID_PIPELINE_KEY, INVALID_REQUEST } from '../../lib/errors.js'
import type { AcceptedEvent, EventSearch } from '../../contracts/event-sink.js'
import { memberJson, withoutMember } from '../../lib/json/scan.js'
import type { EventBody, EventType } from '../../schemas/event.js'
import type { BotCheck } from './bots.js'
import { fieldsOf } from './batch/members.js'
import type { BatchContext, BatchMembers, Fields } from './batch/members.js'
import { assertAddress, claimedAddress, mergeContext, userAgentIn } from './merge-context.js'
import { assertTimestamp, claimedTimestamp, correctedTimestamp } from './event-time.js'
import { JsonObject, mergedMembers } from './body/merge-objects.js'
import { emptyObjectMembers, hasNumericId, numericIdMembers } from './body/read-members.js'
import type { IngestContext } from './ingest-context.js'

/** An event that is valid by its schema, with its position in the request. */
export interface ReceivedEvent {
  value: Partial<EventBody>
  /** The JSON text as received. */
  json: string
  /** From the path, else from the event. */
  type: EventType
  index: number
  batch: BatchMembers | null
}

/** The values of the request that `normalise` reads. A webhook delivery has no browser and no pipeline key. */
export type EventContext =
  & Pick<IngestContext, 'source' | 'key' | 'authMethod' | 'receivedAt' | 'ip' | 'userAgent'>
  & Pick<IngestContext, 'anonymousId' | 'messageId'>
  & Partial<Pick<IngestContext, 'browserAgent' | 'dropsRepeats'>>

/**
 * Returns the event as the sink stores it: the received JSON text and, separately, the JSON text of the members that
 * the server adds, so that no received JSON is serialised again. Throws `INVALID_REQUEST` for rules that the schema
 * cannot express, and `INVALID_PIPELINE_KEY` for a `writeKey` that differs from the key of the request.
 */
export function normalise (
  { value, json, type, index, batch }: ReceivedEvent,
  ingest: EventContext,
  isBotAgent: BotCheck
): AcceptedEvent {
  const { source, authMethod, receivedAt, userAgent } = ingest
  const signed = authMethod === 'signature'
  const hasNoId = isEmptyId(value.userId) && isEmptyId(value.anonymousId)
  if (signed && hasNoId) throw invalid('', 'must have userId or anonymousId when it is signed')
  const claimed = claimedTimestamp(value, receivedAt)
  const corrected = correctedTimestamp(value, batch, receivedAt)
  const timestamp = corrected ?? claimed
  assertTimestamp(timestamp, receivedAt)
  const messageId = value.messageId ?? ingest.messageId(index)
  const anonymousId = isEmptyId(value.anonymousId) ? ingest.anonymousId(hasNoId) : null

  const eventContext = fieldsOf(value.context)
  const shared = batch === null ? null : batch.context
  const claimedIp = claimedAddress(eventContext, shared)
  let { ip } = ingest
  let replacedIp: string | null = null
  if (claimedIp !== undefined) {
    if (isUnspecified(claimedIp)) ip = ''
    else if (signed) ip = assertAddress(claimedIp)
    else replacedIp = ip
  }
  const bot = isBot(eventContext, shared, ingest, isBotAgent)
  const context = mergeContext(eventContext, json, shared, replacedIp, bot)

  let additions = `{"environment":"${source.environment}"`
  if (isAbsent(value.type)) additions += `,"type":"${type}"`
  if (isAbsent(value.messageId)) additions += `,"messageId":"${messageId}"`
  if (anonymousId !== null) additions += `,"anonymousId":"${anonymousId}"`
  if (corrected !== null || isAbsent(value.timestamp)) {
    additions += `,"timestamp":"${new Date(timestamp).toISOString()}"`
  }
  if (corrected !== null && isAbsent(value.originalTimestamp)) {
    additions += `,"originalTimestamp":${JSON.stringify(value.timestamp)}`
  }
  if (context !== null) additions += `,"context":${context}`
  else if (Array.isArray(value.context)) additions += ',"context":{}'
  if (hasNumericId(value)) additions += numericIdMembers(value, json)
  if (Array.isArray(value.properties) || Array.isArray(value.traits)) additions += emptyObjectMembers(value)
  if (value.integrations !== undefined || batch !== null) additions += integrationsMember(value, json, batch)
  if (batch !== null && batch.sentAt !== null && isAbsent(value.sentAt)) additions += `,"sentAt":${batch.sentAt}`
  additions += '}'

  const event: AcceptedEvent = {
    orgId: source.orgId,
    sourceId: source.id,
    messageId,
    type,
    authMethod,
    receivedAt,
    timestamp,
    ip,
    userAgent,
    payload: withoutKey(value, json, ingest.key),
    additions,
    bot
  }
  // The sink reads numeric ids from their digits in the JSON.
  if (!hasNumericId(value)) event.search = searchOf(value, anonymousId)
  if (ingest.dropsRepeats === true && isAbsent(value.messageId)) event.repeat = false
  return event
}

/** Returns the properties that the event is found by. */
function searchOf (value: Partial<EventBody>, anonymousId: string | null): EventSearch {
  const { event, userId, anonymousId: sent } = value
  return {
    event: typeof event === 'string' ? event : null,
    userId: typeof userId === 'string' ? userId : null,
    anonymousId: anonymousId ?? (typeof sent === 'string' ? sent : null)
  }
}

/** Returns whether a bot caused the event, by the user agent in its context, else by the browser's user agent. */
function isBot (
  context: Fields | undefined,
  batch: BatchContext | null,
  { source, browserAgent }: EventContext,
  isBotAgent: BotCheck
): boolean {
  if (source.bots === 'ignore') return false
  const userAgent = userAgentIn(context, batch) ?? browserAgent ?? null
  return userAgent !== null && isBotAgent(userAgent)
}

function isEmptyId (id: string | number | null | undefined): boolean {
  return id === undefined || id === null || id === ''
}

function isAbsent (value: unknown): boolean {
  return value === undefined || value === null
}

/** Merges the batch's integrations under the integrations of the event; an empty string if nothing changes. */
function integrationsMember ({ integrations }: Partial<EventBody>, json: string, batch: BatchMembers | null): string {
  const shared = batch?.integrations ?? null
  const eventIntegrations = fieldsOf(integrations)
  if (shared === null) return Array.isArray(integrations) ? ',"integrations":{}' : ''
  if (eventIntegrations === undefined) return `,"integrations":${shared.json}`
  return `,"integrations":${
    shared.with(mergedMembers(shared, new JsonObject(memberJson(json, 'integrations') ?? '{}')))
  }`
}

/** Removes `writeKey` from the text, because a key is never stored. */
function withoutKey ({ writeKey }: Partial<EventBody>, json: string, key: string): string {
  if (writeKey === undefined) return json
  if (writeKey !== null && writeKey !== key) throw new INVALID_PIPELINE_KEY({ reason: 'the key in an event differs' })
  return withoutMember(json, 'writeKey')
}

function invalid (path: string, message: string): InstanceType<typeof INVALID_REQUEST> {
  return new INVALID_REQUEST({ details: [{ path, message }] })
}
