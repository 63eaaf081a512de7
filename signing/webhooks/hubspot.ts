import { createHmac } from 'node:crypto'

import { BAD_SIGNATURE, digits, fromBase64, headerOf, judge } from './delivery.js'
import type { WebhookDelivery, WebhookVerdict } from './delivery.js'

/** What HubSpot decodes in the URL before it signs; everything else stays encoded. */
const DECODED = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi

/**
 * `X-HubSpot-Signature-v3: <base64>` with `X-HubSpot-Request-Timestamp: <unix milliseconds>`: HMAC-SHA256 over the method, the URL,
 * the body and the timestamp, one after the other (HubSpot, validating requests). The older versions have no timestamp and count
 * for nothing.
 */
export function verifyHubSpot (delivery: WebhookDelivery, secrets: readonly Buffer[]): WebhookVerdict {
  const presented = fromBase64(headerOf(delivery, 'x-hubspot-signature-v3') ?? '')
  const timestamp = headerOf(delivery, 'x-hubspot-request-timestamp')
  const time = digits(timestamp)
  if (presented === null || timestamp === null || time === null) return BAD_SIGNATURE
  const start = delivery.method + delivery.url.replace(DECODED, decodeURIComponent)
  return judge(delivery, [presented], secrets, (secret) => createHmac('sha256', secret).update(start).update(delivery.body).update(timestamp).digest(), time)
}
