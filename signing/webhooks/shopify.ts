import { hmacSha256 } from '../digest.js'
import { BAD_SIGNATURE, fromBase64, headerOf, judge } from './delivery.js'
import type { WebhookDelivery, WebhookVerdict } from './delivery.js'

/**
 * `X-Shopify-Hmac-Sha256: <base64>`: HMAC-SHA256 over the body alone, without a timestamp (Shopify, verify webhook deliveries). The
 * other headers, the topic and the ids among them, are not signed.
 */
export function verifyShopify (delivery: WebhookDelivery, secrets: readonly Buffer[]): WebhookVerdict {
  const presented = fromBase64(headerOf(delivery, 'x-shopify-hmac-sha256') ?? '')
  if (presented === null) return BAD_SIGNATURE
  return judge(delivery, [presented], secrets, (secret) => hmacSha256(secret, delivery.body), null)
}
