import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { operationIdOf } from './operation-id.js'
import { AnyEventSchema, FieldsSchema, eventSchemaOf } from './event.js'
import type { EventType } from './event.js'

const tags = ['ingestion']
const refusals = errorReplies(400, 401, 403, 413, 415, 429, 500, 503)

const Duplicate = Type.Optional(Type.Literal(true, {
  description: 'The same signed request is already stored; only for sources with `signed_repeats: drop`'
}))

export const AcceptedSchema = Type.Object({ success: Type.Literal(true), duplicate: Duplicate })
export type Accepted = Static<typeof AcceptedSchema>

/** Maximum number of events in a batch or a webhook delivery. */
export const MAX_BATCH_EVENTS = 500
/** Maximum number of events in a batch of Segment's browser SDK. */
export const MAX_BROWSER_BATCH_EVENTS = 1_000

/** Returns the schema of a batch's envelope. Each event is validated separately, by the schema of an event. */
export function batchBodySchema (maxItems: number) {
  return Type.Object({
    batch: Type.Array(Type.Unknown({ description: 'An event' }), { minItems: 1, maxItems }),
    context: Type.Optional(Type.Unsafe<Static<typeof FieldsSchema>>({
      ...FieldsSchema, description: 'Defaults for the context of each event, merged at every level'
    })),
    integrations: Type.Optional(Type.Unsafe<Static<typeof FieldsSchema>>({
      ...FieldsSchema, description: 'Defaults for the integrations of each event, merged at every level'
    })),
    sentAt: Type.Optional(Type.Unknown({ description: 'The `sentAt` of each event without its own `sentAt`' }))
  }, { additionalProperties: true })
}
export type BatchBody = Static<ReturnType<typeof batchBodySchema>> & Record<string, unknown>

export const EventErrorSchema = Type.Object({
  index: Type.Integer({ minimum: 0, maximum: MAX_BROWSER_BATCH_EVENTS - 1 }),
  messageId: Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 100 }),
  code: Type.String({ maxLength: 64 }),
  message: Type.String({ maxLength: 1_000 })
})
export type EventError = Static<typeof EventErrorSchema>

export const BatchReplySchema = Type.Object({
  success: Type.Boolean({ description: 'Whether every event was accepted' }),
  accepted: Type.Integer({ minimum: 0, maximum: MAX_BROWSER_BATCH_EVENTS }),
  duplicate: Duplicate,
  rejected: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_BROWSER_BATCH_EVENTS })),
  errors: Type.Optional(Type.Array(EventErrorSchema, { maxItems: MAX_BROWSER_BATCH_EVENTS }))
})
export type BatchReply = Static<typeof BatchReplySchema>

/** `path` tells the routes of one event type apart. */
export function typedEventSchema (type: EventType, path: string) {
  return {
    operationId: operationIdOf('receive', path),
    summary: `Receive one ${type} event`,
    description: '200 means that the event is stored. Events with the same messageId are stored once.',
    tags,
    body: eventSchemaOf(type),
    response: { 200: AcceptedSchema, ...refusals }
  }
}

export const anyEventSchema = {
  operationId: 'receiveEvents',
  summary: 'Receive one signed event of any type',
  description: 'For servers: the body must be signed. 200 means that the event is stored.',
  tags,
  body: AnyEventSchema,
  response: { 200: AcceptedSchema, ...refusals }
}

export const batchSchema = {
  summary: `Receive up to ${MAX_BATCH_EVENTS} events`,
  description: '200 means that the accepted events are stored; `errors` lists each refused event. The status is 400 ' +
    'for a body over 5 MB.',
  tags,
  body: batchBodySchema(MAX_BATCH_EVENTS),
  response: { 200: BatchReplySchema, ...refusals }
}

/**
 * Segment's browser SDK limits a batch by size, 450 KB, which fits over 500 small events, and drops a refused batch.
 */
export const browserBatchSchema = {
  ...batchSchema,
  summary: `Receive up to ${MAX_BROWSER_BATCH_EVENTS} events of Segment's browser SDK, which it sends after an outage`,
  body: batchBodySchema(MAX_BROWSER_BATCH_EVENTS)
}
