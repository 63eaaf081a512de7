import { createHmac } from 'node:crypto'

import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'

import type { NewWebhook, Webhook, WebhookProvider } from '../../contracts/token-store/index.js'
import { gateway } from './gateway.js'
import type { Gateway, GatewayOptions } from './gateway.js'

export const WEBHOOK_SECRET = 'a secret that the provider gave'
const WHSEC = `whsec_${Buffer.from(WEBHOOK_SECRET).toString('base64')}`

type Headers = Record<string, string>

export interface WebhookGateway extends Gateway {
  webhook: Webhook
  url: string
  /** Posts a body as the provider does, signed; `more` headers win. */
  deliver(
    body: unknown,
    more?: Headers,
    options?: { secret?: string, at?: number, url?: string }
  ): Promise<LightMyRequestResponse>
  /** The same without a word about the signature. */
  send(body: unknown, headers?: Headers, url?: string): Promise<LightMyRequestResponse>
}

/** The ingestion routes with one webhook of a provider, whose secret is `WEBHOOK_SECRET`. */
export async function webhookGateway (
  t: Test,
  provider: WebhookProvider,
  { webhook: fields = {}, ...options }: GatewayOptions & { webhook?: Partial<NewWebhook> } = {}
): Promise<WebhookGateway> {
  const made = await gateway(t, options)
  const secret = provider === 'standard' ? WHSEC : WEBHOOK_SECRET
  const custom = provider === 'custom'
    ? {
        header: 'x-acme-signature',
        encoding: 'hex',
        hash: 'sha256',
        prefix: 'sha256=',
        timestampHeader: null,
        template: '{timestamp}.{body}'
      } as const
    : null
  const webhook = await made.store.webhooks.create('acme', made.source.id, {
    name: 'x',
    provider,
    secret,
    url: null,
    custom,
    mapping: null,
    enabled: true,
    ...fields
  })
  if (webhook === null) throw new Error('there is a source')
  const url = `/v1/webhook?source=${webhook.id}`

  function send (body: unknown, headers: Headers = {}, to = url) {
    const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
    return made.app.inject({
      method: 'POST',
      url: to,
      payload,
      headers: { 'content-type': 'application/json', host: 'events.example.com', ...headers }
    })
  }

  return {
    ...made,
    webhook,
    url,
    send,
    deliver: (body, more = {}, { secret = WEBHOOK_SECRET, at = Date.now(), url: to = url } = {}) => {
      const payload = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
      return send(payload, { ...signed(provider, payload, secret, at, `http://events.example.com${to}`), ...more }, to)
    }
  }
}

/** The headers with which a provider signs. */
export function signed (provider: WebhookProvider, body: Buffer, secret: string, at: number, url: string): Headers {
  const hmac = (encoding: 'hex' | 'base64', ...parts: Array<string | Buffer>) => {
    const sum = createHmac('sha256', secret)
    for (const part of parts) sum.update(part)
    return sum.digest(encoding)
  }
  const seconds = String(Math.floor(at / 1000))
  switch (provider) {
    case 'stripe':
      return { 'stripe-signature': `t=${seconds},v1=${hmac('hex', `${seconds}.`, body)}` }
    case 'shopify':
      return { 'x-shopify-hmac-sha256': hmac('base64', body) }
    case 'hubspot':
      return {
        'x-hubspot-signature-v3': hmac('base64', `POST${url}`, body, String(at)),
        'x-hubspot-request-timestamp': String(at)
      }
    case 'standard':
      return {
        'webhook-id': 'msg_1',
        'webhook-timestamp': seconds,
        'webhook-signature': `v1,${hmac('base64', `msg_1.${seconds}.`, body)}`
      }
    case 'custom':
      return { 'x-acme-signature': `sha256=${hmac('hex', body)}` }
  }
}
