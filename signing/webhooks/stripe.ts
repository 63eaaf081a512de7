import { createHmac } from 'node:crypto'

import { BAD_SIGNATURE, parseTimestamp, fromHex, headerValue, checkSignature } from './delivery.js'
import type { WebhookDelivery, WebhookVerdict } from './delivery.js'

const PAIR = /^([a-z][a-z0-9]*)=([^=,\s]+)$/

/**
 * Verifies `Stripe-Signature: t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over `t + "." + body`. During a rotation there
 * are several `v1` signatures, one of which must be valid; other schemes, such as `v0`, are ignored (Stripe
 * documentation, webhook signatures).
 */
export function verifyStripe (delivery: WebhookDelivery, secrets: readonly Buffer[]): WebhookVerdict {
  const times: string[] = []
  const presented: Buffer[] = []
  for (const pair of (headerValue(delivery, 'stripe-signature') ?? '').split(',')) {
    const [, name, value = ''] = PAIR.exec(pair) ?? []
    const signature = name === 'v1' ? fromHex(value) : null
    if (name === undefined || (name === 'v1' && signature === null)) return BAD_SIGNATURE
    if (signature !== null) presented.push(signature)
    if (name === 't') times.push(value)
  }
  const [time = ''] = times
  const seconds = parseTimestamp(time)
  if (times.length !== 1 || seconds === null) return BAD_SIGNATURE
  return checkSignature(
    delivery,
    presented,
    secrets,
    (secret) => createHmac('sha256', secret).update(`${time}.`).update(delivery.body).digest(),
    seconds * 1000
  )
}
