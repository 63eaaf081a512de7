import { createHmac } from 'node:crypto'

import { hostOrigin } from '../host-origin.js'
import { BAD_SIGNATURE, parseTimestamp, fromBase64, headerValue, checkSignature } from './delivery.js'
import type { WebhookDelivery, WebhookVerdict } from './delivery.js'

/** Characters that HubSpot decodes in the URL before signing; all others stay encoded. */
const DECODED_BY_HUBSPOT = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi
const AUTHORITY = /^(https?):\/\/([^/?#]*)/i

/**
 * Verifies `X-HubSpot-Signature-v3: <base64>` with `X-HubSpot-Request-Timestamp: <unix milliseconds>`: HMAC-SHA256 over
 * the method, the URL, the body and the timestamp, concatenated (HubSpot documentation, validating requests). Versions
 * 1 and 2 are not accepted, because they have no timestamp.
 */
export function verifyHubSpot (delivery: WebhookDelivery, secrets: readonly Buffer[]): WebhookVerdict {
  const presented = fromBase64(headerValue(delivery, 'x-hubspot-signature-v3') ?? '')
  const timestamp = headerValue(delivery, 'x-hubspot-request-timestamp')
  const time = parseTimestamp(timestamp)
  if (presented === null || timestamp === null || time === null) return BAD_SIGNATURE
  const { method, body } = delivery
  let verdict = BAD_SIGNATURE
  for (const url of possibleUrls(delivery.url)) {
    const start = method + url.replace(DECODED_BY_HUBSPOT, decodeURIComponent)
    verdict = checkSignature(
      delivery,
      [presented],
      secrets,
      (secret) => createHmac('sha256', secret).update(start).update(body).update(timestamp).digest(),
      time
    )
    if (verdict.valid || verdict.reason === 'timestamp') break
  }
  return verdict
}

/**
 * Returns the URL as received, and with its origin normalised: proxies may change the host's case or add the default
 * port.
 */
function possibleUrls (url: string): string[] {
  const [received = '', scheme = '', host = ''] = AUTHORITY.exec(url) ?? []
  const normalised = scheme === '' ? url : hostOrigin(scheme.toLowerCase(), host) + url.slice(received.length)
  return normalised === url ? [url] : [url, normalised]
}
