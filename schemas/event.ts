import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

export const EVENT_TYPES = ['track', 'page', 'identify', 'group', 'screen', 'alias'] as const
export type EventType = typeof EVENT_TYPES[number]

// In every optional property `null` means absent: several SDKs send `null` for properties that the caller omits.
const Id = Type.Unsafe<string | number | null>({
  type: ['string', 'integer', 'null'],
  maxLength: 512,
  description: 'A string; an integer is stored as its decimal string'
})
/** An object with any properties. Not a Type.Record, whose validator would match a pattern against each key. */
export const FieldsSchema = Type.Unsafe<Record<string, unknown> | [] | null>({
  type: ['object', 'array', 'null'],
  additionalProperties: true,
  maxItems: 0,
  description: 'An object; an empty array is read as an empty object'
})

const fields = {
  event: Type.Optional(nullable({ maxLength: 1_000, description: 'The name of the event; required for track' })),
  name: Type.Optional(nullable({ maxLength: 1_000, description: 'The name of a page' })),
  userId: Type.Optional(Id),
  anonymousId: Type.Optional(Id),
  groupId: Type.Optional(Id),
  previousId: Type.Optional(Id),
  properties: Type.Optional(FieldsSchema),
  traits: Type.Optional(FieldsSchema),
  context: Type.Optional(FieldsSchema),
  integrations: Type.Optional(FieldsSchema),
  timestamp: Type.Optional(nullable({ maxLength: 64, description: 'ISO-8601. Default: the time of receipt' })),
  originalTimestamp: Type.Optional(
    Type.Unknown({ description: 'ISO-8601; when the event happened, by the device clock' })
  ),
  sentAt: Type.Optional(Type.Unknown({
    description: 'ISO-8601; when the request was sent, by the device clock. Used to correct `timestamp` for clock skew'
  })),
  messageId: Type.Optional(nullable({
    minLength: 1,
    maxLength: 100,
    description: 'Events with the same id are stored once within 24 hours'
  }))
}
const event = Type.String({ minLength: 1, maxLength: 1_000 })

/** An event as clients send it. Unknown properties are kept. */
export const EventSchema = Type.Object({
  type: Type.Unsafe<EventType>({ type: 'string', enum: [...EVENT_TYPES] }),
  ...fields
}, { additionalProperties: true })
export type EventBody = Static<typeof EventSchema> & Record<string, unknown>

/** Returns the schema of an event whose type follows from the path. */
export function eventSchemaOf (type: EventType) {
  return Type.Object({
    type: Type.Optional(Type.Unsafe<EventType | null>({ enum: [type, null] })),
    ...fields,
    ...(type === 'track' ? { event } : {})
  }, { additionalProperties: true })
}

/** An event of any type, with the additional rules of its type. */
export const AnyEventSchema = Type.Unsafe<EventBody>({
  ...EventSchema,
  if: { type: 'object', properties: { type: { const: 'track' } } },
  then: { type: 'object', required: ['event'], properties: { event } }
})

function nullable (rules: { minLength?: number, maxLength: number, description: string }) {
  return Type.Unsafe<string | null>({ type: ['string', 'null'], ...rules })
}
