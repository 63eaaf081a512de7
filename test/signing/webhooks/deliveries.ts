import { createHmac } from 'node:crypto'

import type { CustomSignature, WebhookDelivery, WebhookProvider } from '../../../signing/webhooks/index.js'

export const NOW = Date.UTC(2026, 0, 15, 12)
export const BODY = '{"id":"evt_1","type":"invoice.paid","amount":1.0,"name":"é"}'
export const URL = 'https://events.example.com/v1/webhook?source=wh_0123456789abcdefghijABCD'
export const SECRET = Buffer.from('a secret that the provider gave')

export const CUSTOM: CustomSignature = {
  header: 'x-acme-signature',
  encoding: 'hex',
  hash: 'sha256',
  prefix: 'sha256=',
  timestampHeader: 'x-acme-time',
  template: '{timestamp}.{body}'
}

interface Signed {
  body?: string
  /** Unix milliseconds. */
  at?: number
  secret?: Buffer
}

type Headers = Record<string, string>

/**
 * The headers with which each provider sends a body, built from the provider's documentation without our code.
 */
export const SIGN: Record<WebhookProvider, (signed?: Signed) => Headers> = {
  stripe: ({ body = BODY, at = NOW, secret = SECRET } = {}) => {
    const t = Math.floor(at / 1000)
    return { 'stripe-signature': `t=${t},v1=${hmac(secret, `${t}.${body}`, 'hex')}` }
  },
  shopify: ({ body = BODY, secret = SECRET } = {}) => ({ 'x-shopify-hmac-sha256': hmac(secret, body, 'base64') }),
  hubspot: ({ body = BODY, at = NOW, secret = SECRET } = {}) => ({
    'x-hubspot-signature-v3': hmac(secret, `POST${URL}${body}${at}`, 'base64'),
    'x-hubspot-request-timestamp': String(at)
  }),
  standard: ({ body = BODY, at = NOW, secret = SECRET } = {}) => {
    const t = String(Math.floor(at / 1000))
    return {
      'webhook-id': 'msg_1',
      'webhook-timestamp': t,
      'webhook-signature': `v1,${hmac(secret, `msg_1.${t}.${body}`, 'base64')}`
    }
  },
  custom: ({ body = BODY, at = NOW, secret = SECRET } = {}) => {
    const t = String(Math.floor(at / 1000))
    return { 'x-acme-signature': `sha256=${hmac(secret, `${t}.${body}`, 'hex')}`, 'x-acme-time': t }
  }
}

export const SIGNATURE_HEADERS: Record<WebhookProvider, string> = {
  stripe: 'stripe-signature',
  shopify: 'x-shopify-hmac-sha256',
  hubspot: 'x-hubspot-signature-v3',
  standard: 'webhook-signature',
  custom: 'x-acme-signature'
}

export function delivery (headers: Headers, more: Partial<WebhookDelivery> = {}): WebhookDelivery {
  return { method: 'POST', url: URL, headers, body: Buffer.from(BODY), now: NOW, ...more }
}

export function hmac (
  secret: Buffer | string,
  text: string | Buffer,
  encoding: 'hex' | 'base64',
  hash = 'sha256'
): string {
  return createHmac(hash, secret).update(text).digest(encoding)
}
