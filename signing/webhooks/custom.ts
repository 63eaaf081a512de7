import { createHmac } from 'node:crypto'

import { BAD_SIGNATURE, parseTimestamp, fromBase64, fromHex, headerValue, checkSignature } from './delivery.js'
import type { WebhookDelivery, WebhookVerdict } from './delivery.js'

/** How the provider `custom` signs a delivery: an HMAC in a header. */
export interface CustomSignature {
  /** The header with the signature, in lower case. */
  header: string
  encoding: 'hex' | 'base64'
  hash: 'sha256' | 'sha512'
  /** The string before the signature in its header, such as `sha256=`; may be empty. */
  prefix: string
  /** The header with the timestamp in unix seconds or milliseconds, in lower case; `null`: only the body is signed. */
  timestampHeader: string | null
  /** The signed string if there is a timestamp: it contains `{timestamp}` and, after it, `{body}`. */
  template: string
}

const TEMPLATE = /^([^{}]*)\{timestamp\}([^{}]*)\{body\}([^{}]*)$/
/** Separates the two units: in milliseconds it is the year 1973, in seconds the year 5138. */
const MILLISECONDS_FROM = 1e11

/** Returns whether a template contains `{timestamp}` and, after it, `{body}`, each once. */
export function isSignedTemplate (template: string): boolean {
  return TEMPLATE.test(template)
}

export function verifyCustom (
  delivery: WebhookDelivery,
  secrets: readonly Buffer[],
  custom: CustomSignature | null
): WebhookVerdict {
  if (custom === null) return BAD_SIGNATURE
  const { header, encoding, hash, prefix, timestampHeader, template } = custom
  const value = headerValue(delivery, header)
  if (value === null || !value.startsWith(prefix)) return BAD_SIGNATURE
  const encoded = value.slice(prefix.length)
  const presented = encoding === 'hex' ? fromHex(encoded) : fromBase64(encoded)
  if (presented === null) return BAD_SIGNATURE
  if (timestampHeader === null) {
    return checkSignature(delivery, [presented], secrets, (secret) =>
      createHmac(hash, secret).update(delivery.body).digest(), null)
  }

  const timestamp = headerValue(delivery, timestampHeader)
  const time = parseTimestamp(timestamp)
  const [, before, between, after = ''] = TEMPLATE.exec(template) ?? []
  if (timestamp === null || time === null || before === undefined) return BAD_SIGNATURE
  const start = `${before}${timestamp}${between}`
  return checkSignature(
    delivery,
    [presented],
    secrets,
    (secret) => createHmac(hash, secret).update(start).update(delivery.body).update(after).digest(),
    time < MILLISECONDS_FROM ? time * 1000 : time
  )
}
