import type { IncomingHttpHeaders } from 'node:http'

import type { Webhook } from '../../../contracts/token-store/index.js'
import { signatureDigest } from '../ingest-context.js'
import { headersOf } from './expression.js'
import { PROVIDER_MAPPINGS } from './provider-mappings.js'

const MAX_HEADER = 1_000

/** Returns the digest from which events without a signed id get their `messageId`. */
export function deliveryDigest (webhookId: string, signature: Buffer): string {
  return signatureDigest(`${webhookId} ${signature.toString('hex')}`)
}

/** Returns the headers that the mapping of a webhook and the mapping of its provider read. None carries a secret. */
export function mappingHeaders (
  { provider, mapping }: Readonly<Webhook>,
  headers: IncomingHttpHeaders
): Record<string, string> {
  const names = [PROVIDER_MAPPINGS[provider], mapping ?? {}].flatMap(expressionsIn).flatMap(headersOf)
  return Object.fromEntries(names.flatMap((name) => {
    const value = headers[name]
    return typeof value === 'string' ? [[name, value.slice(0, MAX_HEADER)] as const] : []
  }))
}

function expressionsIn (value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(expressionsIn) : []
}
