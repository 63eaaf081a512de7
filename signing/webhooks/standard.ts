import { createHmac, randomBytes } from 'node:crypto'

import { BAD_SIGNATURE, parseTimestamp, fromBase64, headerValue, checkSignature } from './delivery.js'
import type { WebhookDelivery, WebhookVerdict } from './delivery.js'

const PREFIX = 'whsec_'
const VERSIONED = /^(v[0-9]+[a-z]*),([0-9A-Za-z+/=_-]+)$/

/** Prefixes of the header names: of the specification, and of Svix, which the specification is based on. */
const HEADER_PREFIXES = ['webhook', 'svix']
const PARTS = ['id', 'timestamp', 'signature']

/**
 * Verifies `webhook-id`, `webhook-timestamp: <unix seconds>` and `webhook-signature: v1,<base64> …`, or the same
 * headers as `svix-…`: HMAC-SHA256 over `id + "." + timestamp + "." + body` (Standard Webhooks). One of several `v1`
 * signatures must be valid; other versions are ignored. If any `webhook-…` header is present, all `svix-…` headers are
 * ignored.
 */
export function verifyStandard (delivery: WebhookDelivery, secrets: readonly Buffer[]): WebhookVerdict {
  const prefix =
    HEADER_PREFIXES.find((name) => PARTS.some((part) => delivery.headers[`${name}-${part}`] !== undefined)) ?? 'webhook'
  const id = headerValue(delivery, `${prefix}-id`)
  const timestamp = headerValue(delivery, `${prefix}-timestamp`)
  const seconds = parseTimestamp(timestamp)
  if (id === null || timestamp === null || seconds === null) return BAD_SIGNATURE
  const presented: Buffer[] = []
  for (const part of (headerValue(delivery, `${prefix}-signature`) ?? '').split(' ')) {
    const [, version, encoded = ''] = VERSIONED.exec(part) ?? []
    const signature = version === 'v1' ? fromBase64(encoded) : null
    if (version === undefined || (version === 'v1' && signature === null)) return BAD_SIGNATURE
    if (signature !== null) presented.push(signature)
  }
  const start = `${id}.${timestamp}.`
  return checkSignature(
    delivery,
    presented,
    secrets,
    (secret) => createHmac('sha256', secret).update(start).update(delivery.body).digest(),
    seconds * 1000
  )
}

/** Returns the bytes of `whsec_<base64>`; the prefix is optional. Throws a TypeError for any other string. */
export function standardKey (secret: string): Buffer {
  const base64 = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret
  const key = fromBase64(base64) ?? fromBase64(base64.padEnd(base64.length + (4 - base64.length % 4) % 4, '='))
  if (key === null) throw new TypeError('webhook secret: must be whsec_ and standard base64')
  return key
}

export function generateStandardSecret (): string {
  return PREFIX + randomBytes(32).toString('base64')
}
