/** The supported webhook providers. `custom` is any other provider; the webhook's settings describe its signature. */
export const WEBHOOK_PROVIDERS = ['stripe', 'shopify', 'hubspot', 'standard', 'custom'] as const
export type WebhookProvider = typeof WEBHOOK_PROVIDERS[number]
