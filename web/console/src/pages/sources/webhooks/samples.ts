import type { Webhook } from './presets.ts'

export interface Sample {
  body: unknown
  headers: Readonly<Record<string, string>>
}

/** A delivery as the service of a webhook sends it, to try the mapping. */
export function sampleOf ({ provider, mapping }: Pick<Webhook, 'provider' | 'mapping'>): Sample {
  if (provider === 'custom' && JSON.stringify(mapping ?? {}).includes('x-github-event')) return GITHUB
  return SAMPLES[provider]
}

const GITHUB: Sample = {
  headers: { 'x-github-event': 'push' },
  body: {
    ref: 'refs/heads/main',
    repository: { id: 1296269, full_name: 'acme/shop' },
    sender: { id: 583231, login: 'ann' },
    commits: [{ id: '7fd1a60b01f91b314f59955a4e4d4e80d8edf11d', message: 'Fix the cart' }]
  }
}

const SAMPLES: Readonly<Record<Webhook['provider'], Sample>> = {
  stripe: {
    headers: {},
    body: {
      id: 'evt_1PgcIs',
      type: 'invoice.paid',
      created: Math.floor(Date.now() / 1_000),
      data: { object: { object: 'invoice', customer: 'cus_42', amount_paid: 4200, currency: 'eur' } }
    }
  },
  shopify: {
    headers: { 'x-shopify-topic': 'orders/paid' },
    body: { id: 450789469, total_price: '59.90', currency: 'EUR', customer: { id: 207119551 } }
  },
  hubspot: {
    headers: {},
    body: [{
      eventId: 100,
      subscriptionId: 190390,
      portalId: 33,
      occurredAt: Date.now(),
      subscriptionType: 'contact.creation',
      objectId: 123
    }]
  },
  standard: {
    headers: { 'webhook-id': 'msg_2b8f' },
    body: { type: 'user.created', timestamp: new Date().toISOString(), data: { id: 'user-42', plan: 'pro' } }
  },
  custom: {
    headers: {},
    body: { event: 'Order Paid', userId: 'user-42', properties: { total: 59.9, currency: 'EUR' } }
  }
}
