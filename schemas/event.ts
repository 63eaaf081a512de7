import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

export const EVENT_TYPES = ['track', 'page', 'identify', 'group', 'screen', 'alias'] as const
export type EventType = typeof EVENT_TYPES[number]

// `null` says the same as leaving it out: so Segment's browser SDK sends a visitor who has not logged in.
const Id = Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength: 512 })
// Not a Type.Record, whose validator would hold a pattern against each key.
const Fields = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })

const fields = {
  event: Type.Optional(Type.String({ maxLength: 1_000, description: 'What happened; required of track' })),
  name: Type.Optional(Type.String({ maxLength: 1_000, description: 'The name of a page' })),
  userId: Type.Optional(Id),
  anonymousId: Type.Optional(Id),
  groupId: Type.Optional(Id),
  previousId: Type.Optional(Id),
  properties: Type.Optional(Fields),
  traits: Type.Optional(Fields),
  context: Type.Optional(Fields),
  timestamp: Type.Optional(Type.String({ maxLength: 64, description: 'ISO-8601; default: when the event was received' })),
  messageId: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Makes a repeat the same event for 24 hours' }))
}
const event = Type.String({ minLength: 1, maxLength: 1_000 })

/** An event as clients send it; fields that are not named here are kept. */
export const EventSchema = Type.Object({
  type: Type.Unsafe<EventType>({ type: 'string', enum: [...EVENT_TYPES] }),
  ...fields
}, { additionalProperties: true })
export type EventBody = Static<typeof EventSchema> & Record<string, unknown>

/** An event whose type the path names. */
export function eventSchemaOf (type: EventType) {
  return Type.Object({
    type: Type.Optional(Type.Literal(type)),
    ...fields,
    ...(type === 'track' ? { event } : {})
  }, { additionalProperties: true })
}

/** What an event of any type must be; the rules of its own type come on top. */
export const AnyEventSchema = Type.Unsafe<EventBody>({
  ...EventSchema,
  if: { type: 'object', properties: { type: { const: 'track' } } },
  then: { type: 'object', required: ['event'], properties: { event } }
})
