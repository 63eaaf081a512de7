import type { WebhookMapping, WebhookProvider } from '../../../plugins/token-store/store.js'

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
    // One event may be sent under several topics, each with a webhook id of its own, which is the same at each retry.
    messageId: ['header:x-shopify-webhook-id', 'header:x-shopify-event-id'],
    timestamp: 'header:x-shopify-triggered-at',
    userId: '$.customer.id',
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
    messageId: 'header:webhook-id',
    timestamp: ['$.timestamp', 'header:webhook-timestamp'],
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
