import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

const MAX_FIELDS = 50
const DESCRIPTION = 'A JSONPath (`$.data.id`), a header (`header:x-topic`), or a string in which `{$.id}` and ' +
  '`{header:x-topic}` are replaced. In a list, the first expression with a value is used.'

const expression = { type: 'string', minLength: 1, maxLength: 300 } as const
const expressions = { type: 'array', items: expression, minItems: 1, maxItems: 5 } as const

// The unions are plain JSON Schema, whose errors name the property instead of each alternative.
const Expression = Type.Unsafe<string | string[] | null>({
  ...expression,
  ...expressions,
  type: ['string', 'array', 'null'],
  description: DESCRIPTION
})
const Fields = Type.Unsafe<string | string[] | Record<string, string> | null>({
  ...expression,
  ...expressions,
  type: ['string', 'array', 'object', 'null'],
  maxProperties: MAX_FIELDS,
  propertyNames: { type: 'string', minLength: 1, maxLength: 100 },
  additionalProperties: expression,
  description: 'A JSONPath of an object; a list, of which the first path with a value is used; or an expression per ' +
    'name'
})

/**
 * How a webhook body becomes events. Omitted properties use the provider's own mapping; `null` disables a property.
 */
export const WebhookMappingSchema = Type.Partial(
  Type.Object({
    type: Type.Unsafe<'track' | 'page' | 'identify' | 'group'>({
      type: 'string',
      enum: ['track', 'page', 'identify', 'group'],
      description: 'Default: track'
    }),
    each: Type.Unsafe<string | null>({
      ...expression,
      type: ['string', 'null'],
      description: 'A JSONPath of the events in the body; null: the body is one event'
    }),
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
  }),
  { additionalProperties: false }
)
export type WebhookMapping = Static<typeof WebhookMappingSchema>
