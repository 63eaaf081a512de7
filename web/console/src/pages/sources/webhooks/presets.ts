import type { Body, Reply } from '../../../api/paths.ts'

export type Webhook = Reply<'get', 'sources/{id}/webhooks/{wid}'>
export type Provider = Webhook['provider']
type NewWebhook = NonNullable<Body<'post', 'sources/{id}/webhooks'>>

/** A service whose deliveries are understood, with what its signature and its events need. */
export interface Preset {
  id: string
  title: string
  provider: Provider
  /** Where to find or enter the secret. */
  secretHint: string
  /** Whether the server can create the secret. */
  creates: boolean
  custom?: NonNullable<NewWebhook['custom']>
  mapping?: NonNullable<NewWebhook['mapping']>
}

const CREATED = 'Empty: a secret is created here, and you enter it at the service.'

export const PRESETS: readonly Preset[] = [
  {
    id: 'stripe',
    title: 'Stripe',
    provider: 'stripe',
    secretHint: 'The signing secret of the endpoint in the dashboard of Stripe, whsec_…',
    creates: false
  },
  {
    id: 'shopify',
    title: 'Shopify',
    provider: 'shopify',
    secretHint: 'Settings, Notifications, Webhooks of the shop, or the client secret of your app.',
    creates: false
  },
  {
    id: 'hubspot',
    title: 'HubSpot',
    provider: 'hubspot',
    secretHint: 'The client secret of your app.',
    creates: false
  },
  {
    id: 'standard',
    title: 'Standard Webhooks',
    provider: 'standard',
    secretHint: `For Svix and others. ${CREATED}`,
    creates: true
  },
  {
    id: 'github',
    title: 'GitHub',
    provider: 'custom',
    secretHint: CREATED,
    creates: true,
    custom: { header: 'X-Hub-Signature-256', encoding: 'hex', hash: 'sha256', prefix: 'sha256=', timestamp_header: null, template: '{timestamp}.{body}' },
    mapping: { event: 'header:x-github-event', userId: '$.sender.id', properties: '$' }
  },
  {
    id: 'custom',
    title: 'Another service',
    provider: 'custom',
    secretHint: CREATED,
    creates: true
  }
]

/** What a service is called. */
export function titleOf (provider: Provider): string {
  return PRESETS.find((preset) => preset.provider === provider && preset.custom === undefined)?.title ?? provider
}
