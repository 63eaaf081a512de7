import type { WebhookMapping, WebhookProvider } from '../../../contracts/token-store/index.js'
import { compileExpression } from './expression.js'
import type { Expression } from './expression.js'

/** The default mapping of each provider. The mapping of a webhook overrides it. */
export const PROVIDER_MAPPINGS: Readonly<Record<WebhookProvider, WebhookMapping>> = {
  stripe: {
    event: '$.type',
    messageId: '$.id',
    timestamp: '$.created',
    // Events about a customer contain the customer object itself.
    userId: ['$.data.object.customer', '$.data.object.customer.id', "$.data[?@.object == 'customer'].id"],
    properties: '$'
  },
  shopify: {
    event: 'header:x-shopify-topic',
    // Shopify does not sign its id headers, so the messageId comes from the signature of the body.
    messageId: null,
    timestamp: 'header:x-shopify-triggered-at',
    userId: ['$.customer.id', '$.customer_id'],
    properties: '$'
  },
  hubspot: {
    each: '$[*]',
    event: ['$.subscriptionType', '$.eventType'],
    // HubSpot's event id is not unique.
    messageId: ['{$.portalId}-{$.subscriptionId}-{$.eventId}-{$.occurredAt}', '{$.eventId}-{$.occurredAt}',
      '$.eventId'],
    timestamp: '$.occurredAt',
    properties: '$'
  },
  standard: {
    event: '$.type',
    // The signature covers the headers with the first spelling that is present.
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

/** The headers that a provider signs in addition to the body. */
export const SIGNED_HEADERS: Readonly<Record<WebhookProvider, readonly string[]>> = {
  stripe: [],
  shopify: [],
  hubspot: ['x-hubspot-request-timestamp'],
  standard: ['webhook-id', 'webhook-timestamp', 'svix-id', 'svix-timestamp'],
  custom: []
}

/** Topics whose body is the customer. Other customer topics contain the customer's id in their body. */
const SHOPIFY_CUSTOMER = /^customers\/(?:create|update|delete|enable|disable)$/
const ID = compileExpression('$.id')

/** User ids that an expression of a mapping cannot describe. They are read after the mapping's `userId`. */
export const PROVIDER_USER_IDS: Readonly<Partial<Record<WebhookProvider, Expression>>> = {
  shopify: {
    first: (subject) => SHOPIFY_CUSTOMER.test(String(subject.headers['x-shopify-topic'])) ? ID.first(subject) : null,
    all: () => null
  }
}
