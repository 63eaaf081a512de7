import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

const MAX_FIELDS = 50
const DESCRIPTION = 'A JSONPath (`$.data.id`), a header (`header:x-topic`), or a text, in which `{$.id}` and `{header:x-topic}` are replaced. ' +
  'Of several the first that gives something counts.'

const text = { type: 'string', minLength: 1, maxLength: 300 } as const
const texts = { type: 'array', items: text, minItems: 1, maxItems: 5 } as const

// The unions as plain JSON Schema, whose errors name the member rather than each of its alternatives.
const Expression = Type.Unsafe<string | string[] | null>({ ...text, ...texts, type: ['string', 'array', 'null'], description: DESCRIPTION })
const Fields = Type.Unsafe<string | string[] | Record<string, string> | null>({
  ...text,
  ...texts,
  type: ['string', 'array', 'object', 'null'],
  maxProperties: MAX_FIELDS,
  propertyNames: { type: 'string', minLength: 1, maxLength: 100 },
  additionalProperties: text,
  description: 'A JSONPath of an object, of several the first that gives one, or what to put under each name'
})

/** How the events of a webhook's body become events; what is not named is as the provider's own mapping has it, and `null` is nothing. */
export const WebhookMappingSchema = Type.Partial(Type.Object({
  type: Type.Unsafe<'track' | 'page' | 'identify' | 'group'>({ type: 'string', enum: ['track', 'page', 'identify', 'group'], description: 'Default: track' }),
  each: Type.Unsafe<string | null>({ ...text, type: ['string', 'null'], description: 'A JSONPath of the events in the body; null: the body is one event' }),
  event: Expression,
  name: Expression,
  userId: Expression,
  anonymousId: Expression,
  groupId: Expression,
  messageId: Expression,
  timestamp: Expression,
  properties: Fields,
  traits: Fields,
  context: Fields
}), { additionalProperties: false })
export type WebhookMapping = Static<typeof WebhookMappingSchema>
