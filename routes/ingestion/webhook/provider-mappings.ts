import type { WebhookMapping, WebhookProvider } from '../../../contracts/token-store/index.js'
import { compileExpression } from './expression.js'
import type { Expression } from './expression.js'

/** How the events of each provider become events where a webhook says nothing else. */
export const PROVIDER_MAPPINGS: Readonly<Record<WebhookProvider, WebhookMapping>> = {
  stripe: {
    event: '$.type',
    messageId: '$.id',
    timestamp: '$.created',
    // Events of a customer carry the customer itself.
    userId: ['$.data.object.customer', '$.data.object.customer.id', "$.data[?@.object == 'customer'].id"],
    properties: '$'
  },
  shopify: {
    event: 'header:x-shopify-topic',
    // Neither its ids nor its topic are signed: an event is known again by its body.
    messageId: null,
    timestamp: 'header:x-shopify-triggered-at',
    userId: ['$.customer.id', '$.customer_id'],
    properties: '$'
  },
  hubspot: {
    each: '$[*]',
    event: ['$.subscriptionType', '$.eventType'],
    // An event id alone is not unique.
    messageId: ['{$.portalId}-{$.subscriptionId}-{$.eventId}-{$.occurredAt}', '{$.eventId}-{$.occurredAt}', '$.eventId'],
    timestamp: '$.occurredAt',
    properties: '$'
  },
  standard: {
    event: '$.type',
    // The signature is over those of the first spelling that is there at all.
    messageId: ['header:webhook-id', 'header:svix-id'],
    timestamp: ['$.timestamp', 'header:webhook-timestamp', 'header:svix-timestamp'],
    properties: ['$.data', '$']
  },
  custom: {
    event: ['$.event', '$.type'],
    userId: '$.userId',
    anonymousId: '$.anonymousId',
    messageId: '$.messageId',
    timestamp: '$.timestamp',
    properties: ['$.properties', '$']
  }
}

/** The headers that a provider signs, beside the body. */
export const SIGNED_HEADERS: Readonly<Record<WebhookProvider, readonly string[]>> = {
  stripe: [],
  shopify: [],
  hubspot: ['x-hubspot-request-timestamp'],
  standard: ['webhook-id', 'webhook-timestamp', 'svix-id', 'svix-timestamp'],
  custom: []
}

/** Topics whose body is the customer itself. Other topics of customers name the customer within their body. */
const SHOPIFY_CUSTOMER = /^customers\/(?:create|update|delete|enable|disable)$/
const ID = compileExpression('$.id')

/** Where the providers' own mappings find a user id that no text of a mapping can describe; read after the other places. */
export const PROVIDER_USER_IDS: Readonly<Partial<Record<WebhookProvider, Expression>>> = {
  shopify: {
    first: (subject) => SHOPIFY_CUSTOMER.test(String(subject.headers['x-shopify-topic'])) ? ID.first(subject) : null,
    all: () => null
  }
}
