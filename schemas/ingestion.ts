import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { AnyEventSchema, FieldsSchema, eventSchemaOf } from './event.js'
import type { EventType } from './event.js'

const tags = ['ingestion']
const refusals = errorReplies(400, 401, 403, 413, 415, 429, 500, 503)

const Duplicate = Type.Optional(Type.Literal(true, { description: 'The same signed request was stored before; only of sources with `signed_repeats: drop`' }))

export const AcceptedSchema = Type.Object({ success: Type.Literal(true), duplicate: Duplicate })
export type Accepted = Static<typeof AcceptedSchema>

/** Events that one batch, or one delivery of a webhook, may hold. */
export const MAX_BATCH_EVENTS = 500
/** Events that a batch of Segment's browser SDK may hold. */
export const MAX_BROWSER_BATCH_EVENTS = 1_000

/** The envelope alone: each event is judged for itself, by the schema of an event. */
export function batchBodySchema (maxItems: number) {
  return Type.Object({
    batch: Type.Array(Type.Unknown({ description: 'An event' }), { minItems: 1, maxItems }),
    context: Type.Optional(Type.Unsafe<Static<typeof FieldsSchema>>({
      ...FieldsSchema, description: 'Merged under the context of each event, at every level'
    })),
    integrations: Type.Optional(Type.Unsafe<Static<typeof FieldsSchema>>({
      ...FieldsSchema, description: 'Merged under the integrations of each event, at every level'
    })),
    sentAt: Type.Optional(Type.Unknown({ description: 'The `sentAt` of each event that has none' }))
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

export function typedEventSchema (type: EventType) {
  return {
    summary: `Take one ${type} event`,
    description: '200 means that the event is stored. A repeat with the same messageId is stored once.',
    tags,
    body: eventSchemaOf(type),
    response: { 200: AcceptedSchema, ...refusals }
  }
}

export const anyEventSchema = {
  summary: 'Take one signed event of any type',
  description: 'For servers: the body must be signed. 200 means that the event is stored.',
  tags,
  body: AnyEventSchema,
  response: { 200: AcceptedSchema, ...refusals }
}

export const batchSchema = {
  summary: `Take up to ${MAX_BATCH_EVENTS} events`,
  description: '200 means that the accepted events are stored; each refused one is named in `errors`. A body beyond 5 MB is 400.',
  tags,
  body: batchBodySchema(MAX_BATCH_EVENTS),
  response: { 200: BatchReplySchema, ...refusals }
}

/** Segment's browser SDK ends a batch at 450 KB however many its events are, and drops one that is refused: of small ones over 500. */
export const browserBatchSchema = {
  ...batchSchema,
  summary: `Take up to ${MAX_BROWSER_BATCH_EVENTS} events, as Segment's browser SDK sends them after an outage`,
  body: batchBodySchema(MAX_BROWSER_BATCH_EVENTS)
}
