import { createHmac } from 'node:crypto'

import { hostOrigin } from '../host-origin.js'
import { BAD_SIGNATURE, digits, fromBase64, headerOf, judge } from './delivery.js'
import type { WebhookDelivery, WebhookVerdict } from './delivery.js'

/** What HubSpot decodes in the URL before it signs; everything else stays encoded. */
const DECODED = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi
const AUTHORITY = /^(https?):\/\/([^/?#]*)/i

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
  const { method, body } = delivery
  let verdict = BAD_SIGNATURE
  for (const url of spellings(delivery.url)) {
    const start = method + url.replace(DECODED, decodeURIComponent)
    verdict = judge(delivery, [presented], secrets, (secret) => createHmac('sha256', secret).update(start).update(body).update(timestamp).digest(), time)
    if (verdict.valid || verdict.fault === 'timestamp') break
  }
  return verdict
}

/** The URL as it came, and with the host as HubSpot wrote it: clients and proxies may change its case and add the default port. */
function spellings (url: string): string[] {
  const [asCame = '', scheme = '', host = ''] = AUTHORITY.exec(url) ?? []
  const normalised = scheme === '' ? url : hostOrigin(scheme.toLowerCase(), host) + url.slice(asCame.length)
  return normalised === url ? [url] : [url, normalised]
}
