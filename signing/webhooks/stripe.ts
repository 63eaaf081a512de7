import { createHmac } from 'node:crypto'

import { BAD_SIGNATURE, digits, fromHex, headerOf, judge } from './delivery.js'
import type { WebhookDelivery, WebhookVerdict } from './delivery.js'

const PAIR = /^([a-z][a-z0-9]*)=([^=,\s]+)$/

/**
 * `Stripe-Signature: t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over `t + "." + body`. While a secret is being rolled there are
 * several `v1`, of which one must hold; other schemes, such as `v0` of test events, say nothing (Stripe, webhook signatures).
 */
export function verifyStripe (delivery: WebhookDelivery, secrets: readonly Buffer[]): WebhookVerdict {
  const times: string[] = []
  const presented: Buffer[] = []
  for (const pair of (headerOf(delivery, 'stripe-signature') ?? '').split(',')) {
    const [, name, value = ''] = PAIR.exec(pair) ?? []
    const signature = name === 'v1' ? fromHex(value) : null
    if (name === undefined || (name === 'v1' && signature === null)) return BAD_SIGNATURE
    if (signature !== null) presented.push(signature)
    if (name === 't') times.push(value)
  }
  const [time = ''] = times
  const seconds = digits(time)
  if (times.length !== 1 || seconds === null) return BAD_SIGNATURE
  return judge(delivery, presented, secrets, (secret) => createHmac('sha256', secret).update(`${time}.`).update(delivery.body).digest(), seconds * 1000)
}
