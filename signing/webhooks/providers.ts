/** The providers whose webhooks can be received; `custom` is any other, with a signature that is described in its settings. */
export const WEBHOOK_PROVIDERS = ['stripe', 'shopify', 'hubspot', 'standard', 'custom'] as const
export type WebhookProvider = typeof WEBHOOK_PROVIDERS[number]
