import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

export const EVENT_TYPES = ['track', 'page', 'identify', 'group', 'screen', 'alias'] as const
export type EventType = typeof EVENT_TYPES[number]

// In every optional member `null` is the same as no member: several SDKs send it for what the caller left out.
const Id = Type.Unsafe<string | number | null>({
  type: ['string', 'integer', 'null'], maxLength: 512, description: 'A string; an integer is stored as the decimal string that was sent'
})
/** An object of any members. Not a Type.Record, whose validator would hold a pattern against each key. */
export const FieldsSchema = Type.Unsafe<Record<string, unknown> | [] | null>({
  type: ['object', 'array', 'null'], additionalProperties: true, maxItems: 0, description: 'An object; an empty array is an empty object'
})

const fields = {
  event: Type.Optional(nullable({ maxLength: 1_000, description: 'What happened; required of track' })),
  name: Type.Optional(nullable({ maxLength: 1_000, description: 'The name of a page' })),
  userId: Type.Optional(Id),
  anonymousId: Type.Optional(Id),
  groupId: Type.Optional(Id),
  previousId: Type.Optional(Id),
  properties: Type.Optional(FieldsSchema),
  traits: Type.Optional(FieldsSchema),
  context: Type.Optional(FieldsSchema),
  integrations: Type.Optional(FieldsSchema),
  timestamp: Type.Optional(nullable({ maxLength: 64, description: 'ISO-8601; default: when the event was received' })),
  originalTimestamp: Type.Optional(Type.Unknown({ description: 'ISO-8601; when the event happened by the clock of the device' })),
  sentAt: Type.Optional(Type.Unknown({
    description: 'ISO-8601; when the request was sent by the clock of the device. It corrects `timestamp` by what that clock is off.'
  })),
  messageId: Type.Optional(nullable({ minLength: 1, maxLength: 100, description: 'Makes a repeat the same event for 24 hours' }))
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
    type: Type.Optional(Type.Unsafe<EventType | null>({ enum: [type, null] })),
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

function nullable (rules: { minLength?: number, maxLength: number, description: string }) {
  return Type.Unsafe<string | null>({ type: ['string', 'null'], ...rules })
}
