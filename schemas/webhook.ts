import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'

import { errorReplies } from './error.js'
import { StoredEventSchema } from './event-list.js'
import { BatchReplySchema, EventErrorSchema, MAX_BATCH_EVENTS } from './ingestion.js'
import { PageQuerySchema, pageSchema } from './page.js'
import { RotateBodySchema } from './source.js'
import { WebhookMappingSchema } from './webhook-mapping.js'
import type { WebhookMapping } from './webhook-mapping.js'

const tags = ['admin webhooks']
const strict = { additionalProperties: false }
const Time = Type.String({ maxLength: 30, description: 'ISO-8601, UTC, milliseconds' })
const header = { type: 'string', minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9-]+$' } as const

function oneOf<const Value extends string> (values: readonly Value[], more: object) {
  return Type.Unsafe<Value>({ type: 'string', enum: [...values], ...more })
}

const Provider = oneOf(['stripe', 'shopify', 'hubspot', 'standard', 'custom'], {
  description: 'The signature scheme: Stripe, Shopify, HubSpot (v3), Standard Webhooks, or an HMAC in a header'
})
const Secret = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: "The provider's secret; for `custom` a string, `hex:…` or `base64:…`"
})

export const CustomSignatureSchema = Type.Object({
  header: Type.Unsafe<string>({ ...header, description: 'The header with the signature' }),
  encoding: oneOf(['hex', 'base64'], { default: 'hex' }),
  hash: oneOf(['sha256', 'sha512'], { default: 'sha256' }),
  prefix: Type.String({
    maxLength: 32,
    pattern: '^[\\x20-\\x7e]*$',
    default: '',
    description: 'The string before the signature, such as `sha256=`'
  }),
  timestamp_header: Type.Unsafe<string | null>({
    ...header,
    type: ['string', 'null'],
    default: null,
    description: 'The header with the signed timestamp in unix seconds or milliseconds; null: there is no timestamp'
  }),
  template: Type.String({
    maxLength: 100,
    default: '{timestamp}.{body}',
    description: 'The signed string, if there is a timestamp'
  })
}, strict)
export type CustomSignatureBody = Static<typeof CustomSignatureSchema>

const settings = {
  name: Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\p{Cc}\\p{Cs}]+$' }),
  url: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    maxLength: 1_000,
    description: 'The public URL of the route, without its query, as the provider calls it (HubSpot signs it); null: ' +
      'the URL follows from the request'
  }),
  custom: Type.Unsafe<CustomSignatureBody | null>({
    ...CustomSignatureSchema,
    type: ['object', 'null'],
    description: 'The signature of the provider `custom`; otherwise null'
  }),
  mapping: Type.Unsafe<WebhookMapping | null>({
    ...WebhookMappingSchema,
    type: ['object', 'null'],
    description: "How a body becomes events, in addition to the provider's own mapping; null: only the provider's " +
      'mapping'
  }),
  enabled: Type.Boolean()
}

export const WebhookPatchSchema = Type.Partial(Type.Object(settings), { ...strict, minProperties: 1 })
export type WebhookPatchBody = Static<typeof WebhookPatchSchema>

export const NewWebhookSchema = Type.Composite([
  Type.Object({ provider: Provider }),
  Type.Partial(Type.Object({ ...settings, secret: Secret }))
], strict)
export type NewWebhookBody = Static<typeof NewWebhookSchema>

export const RotateWebhookSecretSchema = Type.Composite([RotateBodySchema,
  Type.Partial(Type.Object({ secret: Secret }))], strict)
export type RotateWebhookSecretBody = Static<typeof RotateWebhookSecretSchema>

const Anything = { type: ['object', 'null'], additionalProperties: true } as const

export const WebhookSchema = Type.Object({
  id: Type.String({ maxLength: 100, description: 'The provider must call `/v1/webhook?source=<id>`' }),
  source_id: Type.String({ maxLength: 100 }),
  name: Type.String({ maxLength: 200 }),
  provider: Provider,
  secret_prefix: Type.String({ maxLength: 64, description: 'The first characters of the newest secret' }),
  url: settings.url,
  // A stored value may be older than a validation rule, so these rules are looser.
  custom: Type.Unsafe<CustomSignatureBody | null>(Anything),
  mapping: Type.Unsafe<WebhookMapping | null>(Anything),
  enabled: Type.Boolean(),
  created_at: Time,
  updated_at: Time
})
export type WebhookItem = Static<typeof WebhookSchema>

export const WebhookWithSecretSchema = Type.Composite([WebhookSchema, Type.Object({
  secret: Type.Optional(Type.String({
    maxLength: 1024,
    description: 'The secret, if the server created it. Returned only by this response'
  }))
})])
export type WebhookWithSecret = Static<typeof WebhookWithSecretSchema>

export const WebhookTestSchema = Type.Object({
  body: Type.Unsafe<object>({
    type: ['object', 'array'], additionalProperties: true, description: "A body in the provider's format"
  }),
  headers: Type.Optional(Type.Record(
    Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9-]+$' }),
    Type.String({ maxLength: 1_000 }),
    { maxProperties: 20, additionalProperties: false, description: 'The headers that the mapping reads' }
  )),
  mapping: Type.Optional(Type.Unsafe<WebhookMapping | null>({
    ...settings.mapping, description: 'Another mapping to try. Default: that of the webhook'
  }))
}, strict)
export type WebhookTestBody = Static<typeof WebhookTestSchema>

export const WebhookTestReplySchema = Type.Object({
  events: Type.Array(StoredEventSchema, { maxItems: MAX_BATCH_EVENTS, description: 'The events that would be stored' }),
  errors: Type.Array(EventErrorSchema, { maxItems: MAX_BATCH_EVENTS, description: 'The events that would be refused' })
})
export type WebhookTestReply = Static<typeof WebhookTestReplySchema>

const ofSource = Type.Object({ id: Type.String({ maxLength: 100 }) })
const ofWebhook = Type.Object({ id: Type.String({ maxLength: 100 }), wid: Type.String({ maxLength: 100 }) })
const written = errorReplies(400, 401, 403, 404, 413, 415, 429, 500, 503)

export const createWebhookSchema = {
  operationId: 'createWebhook',
  summary: 'Create a webhook of a source',
  description: 'The server creates a secret for the providers `standard` and `custom`; only this response contains ' +
    'it. The status is 409 if the organisation has reached its number of webhooks.',
  tags,
  params: ofSource,
  body: NewWebhookSchema,
  response: { 201: WebhookWithSecretSchema, ...written, ...errorReplies(409) }
}

export const listWebhooksSchema = {
  operationId: 'listWebhooks',
  summary: 'List the webhooks of a source, newest first',
  tags,
  params: ofSource,
  querystring: PageQuerySchema,
  response: { 200: pageSchema(WebhookSchema), ...errorReplies(400, 401, 403, 404, 429, 500, 503) }
}

export const readWebhookSchema = {
  operationId: 'readWebhook',
  summary: 'Read a webhook',
  tags,
  params: ofWebhook,
  response: { 200: WebhookSchema, ...errorReplies(401, 403, 404, 429, 500, 503) }
}

export const patchWebhookSchema = {
  operationId: 'patchWebhook',
  summary: 'Change a webhook',
  tags,
  params: ofWebhook,
  body: WebhookPatchSchema,
  response: { 200: WebhookSchema, ...written }
}

export const deleteWebhookSchema = {
  operationId: 'deleteWebhook',
  summary: 'Delete a webhook; later deliveries are refused',
  tags,
  params: ofWebhook,
  response: { 204: Type.Null({ description: 'Deleted; no body' }), ...errorReplies(401, 403, 404, 429, 500, 503) }
}

export const rotateWebhookSecretSchema = {
  operationId: 'rotateWebhookSecret',
  summary: 'Replace the secret of a webhook',
  description: 'Without `secret`, the server creates a secret for the providers `standard` and `custom`; only this ' +
    'response contains it.',
  tags,
  params: ofWebhook,
  body: RotateWebhookSecretSchema,
  response: { 200: WebhookWithSecretSchema, ...written }
}

export const testWebhookSchema = {
  operationId: 'testWebhook',
  summary: 'Map a sample delivery to events without storing them',
  description: 'Maps and validates as a delivery does after its signature is verified. Nothing is stored or counted, ' +
    'and no signature is checked. An error of the whole delivery is the error with the index 0.',
  tags,
  params: ofWebhook,
  body: WebhookTestSchema,
  response: { 200: WebhookTestReplySchema, ...written }
}

/** The route that receives deliveries of webhook providers. */
export const deliverySchema = {
  operationId: 'receiveDelivery',
  summary: 'Receive signed events of another service',
  description: 'For Stripe, Shopify, HubSpot, Standard Webhooks and custom providers. 200 means that the events are ' +
    'stored. A repeated delivery is stored once.',
  tags: ['ingestion'],
  querystring: Type.Object({ source: Type.String({ maxLength: 100, description: 'The id of the webhook, `wh_…`' }) }),
  body: Type.Unknown({ description: "JSON in the provider's format" }),
  response: { 200: BatchReplySchema, ...errorReplies(400, 401, 413, 415, 429, 500, 503) }
}
