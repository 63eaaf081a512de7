import type { FastifyRequest } from 'fastify'

import type { GatehouseError } from '../../../lib/errors.js'
import { requestAddress } from '../../../lib/http/client-address.js'
import { maskUrl } from '../../../lib/http/masked-request-log.js'
import { claimsSignature } from '../../../lib/http/signature-headers.js'
import type { RefusedEvent, RefusedReplay, Source } from '../../../contracts/token-store/index.js'
import { visitorIdIn } from '../identity-cookie.js'
import { isFromBrowser, MAX_USER_AGENT, signatureDigest } from '../ingest-context.js'
import { deliveryDigest, mappingHeaders } from '../webhook/delivery.js'
import { refusedId } from './refused-id.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The content of this route's body, for refused events. Default: one event. */
    refusedForm?: RefusedReplay['form']
  }
}

const MAX_ORIGIN = 1_000
const MAX_PATH = 2_048
const MAX_TYPE = 200
const MAX_REASON = 1_000
/** After these errors the request is not proved to be of the source's server, whatever its settings become. */
const UNAUTHENTICATED = new Set(['INVALID_SIGNATURE', 'TIMESTAMP_OUT_OF_RANGE'])

/** Returns the refused event of a request, without its payload. */
export function draftOf (
  request: FastifyRequest,
  { id: sourceId, orgId }: Readonly<Source>,
  { code, reason }: { code: string, reason: string }
): RefusedEvent {
  const { headers, signed, originalUrl, routeOptions } = request
  const receivedAt = Date.now()
  // The origin of a page has no user name, password or query, so masking changes no origin that a source can allow.
  const origin = headers.origin === undefined ? null : maskUrl(headers.origin)
  const isProved = !UNAUTHENTICATED.has(code) && (signed || !claimsSignature(headers))
  return {
    id: refusedId(receivedAt),
    orgId,
    sourceId,
    code,
    reason: reason.slice(0, MAX_REASON),
    origin: origin?.slice(0, MAX_ORIGIN) ?? null,
    ip: requestAddress(request),
    userAgent: headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null,
    path: maskUrl(originalUrl).slice(0, MAX_PATH),
    contentType: headers['content-type']?.slice(0, MAX_TYPE) ?? null,
    signed,
    type: routeOptions.config.eventType ?? null,
    event: null,
    messageId: null,
    receivedAt,
    bytes: 0,
    payload: '',
    truncated: false,
    replay: isProved && (origin === null || origin.length <= MAX_ORIGIN) ? replayOf(request) : null,
    replayedAt: null
  }
}

/** Returns why a request or an event was refused: the field, if there is one, and the failed check. */
export function reasonOf ({ message, reason, details }: GatehouseError): string {
  const fields = details?.map((detail) => `${detail.path} ${detail.message}`.trim()) ?? []
  const reasons = [...fields, ...reason === undefined ? [] : [reason]]
  return reasons.length === 0 ? message : reasons.join('; ')
}

function replayOf (request: FastifyRequest): RefusedReplay {
  const { headers, method, routeOptions: { config }, verifiedSignature, resolvedWebhook, webhookSignature } = request
  const webhook = resolvedWebhook?.webhook ?? null
  let digest: string | null = null
  if (webhook !== null) digest = webhookSignature === null ? null : deliveryDigest(webhook.id, webhookSignature)
  else if (request.signed && verifiedSignature !== null) digest = signatureDigest(verifiedSignature)
  return {
    form: config.refusedForm ?? 'event',
    type: config.eventType ?? null,
    pixel: method === 'GET',
    requiresSignature: config.gatehouse?.signature === 'required',
    keyId: webhook === null ? request.resolvedSource?.keyId ?? null : null,
    webhookId: webhook?.id ?? null,
    fromPage: isFromBrowser(request),
    visitorId: visitorIdIn(headers.cookie),
    signatureDigest: digest,
    index: 0,
    headers: webhook === null ? {} : mappingHeaders(webhook, headers)
  }
}
