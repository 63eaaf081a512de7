import { createHmac, randomBytes } from 'node:crypto'

import { BAD_SIGNATURE, digits, fromBase64, headerOf, judge } from './delivery.js'
import type { WebhookDelivery, WebhookVerdict } from './delivery.js'

const PREFIX = 'whsec_'
const VERSIONED = /^(v[0-9]+[a-z]*),([0-9A-Za-z+/=_-]+)$/

/** The names of the headers: those of the specification, and those of Svix, which the specification comes from. */
const SPELLINGS = ['webhook', 'svix']
const PARTS = ['id', 'timestamp', 'signature']

/**
 * `webhook-id`, `webhook-timestamp: <unix seconds>` and `webhook-signature: v1,<base64> …`, or the same as `svix-…`: HMAC-SHA256 over
 * `id + "." + timestamp + "." + body` (Standard Webhooks). One of several `v1` must be valid; other versions do not count. If any header of
 * the specification is present, the headers of Svix do not count: headers of the two are never combined.
 */
export function verifyStandard (delivery: WebhookDelivery, secrets: readonly Buffer[]): WebhookVerdict {
  const prefix = SPELLINGS.find((name) => PARTS.some((part) => delivery.headers[`${name}-${part}`] !== undefined)) ?? 'webhook'
  const id = headerOf(delivery, `${prefix}-id`)
  const timestamp = headerOf(delivery, `${prefix}-timestamp`)
  const seconds = digits(timestamp)
  if (id === null || timestamp === null || seconds === null) return BAD_SIGNATURE
  const presented: Buffer[] = []
  for (const part of (headerOf(delivery, `${prefix}-signature`) ?? '').split(' ')) {
    const [, version, text = ''] = VERSIONED.exec(part) ?? []
    const signature = version === 'v1' ? fromBase64(text) : null
    if (version === undefined || (version === 'v1' && signature === null)) return BAD_SIGNATURE
    if (signature !== null) presented.push(signature)
  }
  const start = `${id}.${timestamp}.`
  return judge(delivery, presented, secrets, (secret) => createHmac('sha256', secret).update(start).update(delivery.body).digest(), seconds * 1000)
}

/** The bytes of `whsec_<base64>`, with or without its prefix. Throws a TypeError for anything else. */
export function standardKey (secret: string): Buffer {
  const base64 = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret
  const key = fromBase64(base64) ?? fromBase64(base64.padEnd(base64.length + (4 - base64.length % 4) % 4, '='))
  if (key === null) throw new TypeError('webhook secret: must be whsec_ and standard base64')
  return key
}

export function generateStandardSecret (): string {
  return PREFIX + randomBytes(32).toString('base64')
}
