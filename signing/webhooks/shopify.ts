import { hmacSha256 } from '../digest.js'
import { BAD_SIGNATURE, fromBase64, headerValue, checkSignature } from './delivery.js'
import type { WebhookDelivery, WebhookVerdict } from './delivery.js'

/**
 * Verifies `X-Shopify-Hmac-Sha256: <base64>`: HMAC-SHA256 over the body alone, without a timestamp (Shopify
 * documentation, verify webhook deliveries). Other headers, such as the topic and the ids, are not signed.
 */
export function verifyShopify (delivery: WebhookDelivery, secrets: readonly Buffer[]): WebhookVerdict {
  const presented = fromBase64(headerValue(delivery, 'x-shopify-hmac-sha256') ?? '')
  if (presented === null) return BAD_SIGNATURE
  return checkSignature(delivery, [presented], secrets, (secret) => hmacSha256(secret, delivery.body), null)
}
