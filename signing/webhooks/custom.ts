import { createHmac } from 'node:crypto'

import { BAD_SIGNATURE, digits, fromBase64, fromHex, headerOf, judge } from './delivery.js'
import type { WebhookDelivery, WebhookVerdict } from './delivery.js'

/** How a provider that has no name here signs: HMAC in a header. */
export interface CustomSignature {
  /** The header with the signature, in lower case. */
  header: string
  encoding: 'hex' | 'base64'
  hash: 'sha256' | 'sha512'
  /** What stands before the signature in its header, such as `sha256=`; empty: nothing. */
  prefix: string
  /** The header with a timestamp, unix seconds or milliseconds, in lower case; `null`: the body alone is signed. */
  timestampHeader: string | null
  /** What is signed where there is a timestamp: a text with `{timestamp}` and, after it, `{body}`. */
  template: string
}

const TEMPLATE = /^([^{}]*)\{timestamp\}([^{}]*)\{body\}([^{}]*)$/
/** As milliseconds in 1973, as seconds in the year 5138: no signed timestamp can be taken for the other. */
const FIRST_MILLISECONDS = 1e11

/** Whether a text says how timestamp and body are put together. */
export function isSignedTemplate (text: string): boolean {
  return TEMPLATE.test(text)
}

export function verifyCustom (delivery: WebhookDelivery, secrets: readonly Buffer[], custom: CustomSignature | null): WebhookVerdict {
  if (custom === null) return BAD_SIGNATURE
  const { header, encoding, hash, prefix, timestampHeader, template } = custom
  const value = headerOf(delivery, header)
  if (value === null || !value.startsWith(prefix)) return BAD_SIGNATURE
  const text = value.slice(prefix.length)
  const presented = encoding === 'hex' ? fromHex(text) : fromBase64(text)
  if (presented === null) return BAD_SIGNATURE
  if (timestampHeader === null) return judge(delivery, [presented], secrets, (secret) => createHmac(hash, secret).update(delivery.body).digest(), null)

  const timestamp = headerOf(delivery, timestampHeader)
  const time = digits(timestamp)
  const [, before, between, after = ''] = TEMPLATE.exec(template) ?? []
  if (timestamp === null || time === null || before === undefined) return BAD_SIGNATURE
  const start = `${before}${timestamp}${between}`
  return judge(
    delivery, [presented], secrets, (secret) => createHmac(hash, secret).update(start).update(delivery.body).update(after).digest(),
    time < FIRST_MILLISECONDS ? time * 1000 : time
  )
}
