import { channel } from 'node:diagnostics_channel'

import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

import { printableLine } from '../signing/printable-line.js'
import * as errors from './errors.js'
import { GatehouseError } from './errors.js'
import type { ErrorDetail, PublicError } from './errors.js'
import { sendOwn } from './http/own-replies.js'
import type { UpstreamRefusal } from './upstream-client/refusal.js'

/** The diagnostics channel on which each refusal is published, as `RefusedMessage`. */
export const REFUSED = 'fastify-gatehouse.refused'

export interface RefusedMessage {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly error: GatehouseError
}

const refused = channel(REFUSED)
/** Characters of a request's own text that the log shows. */
const MAX_SHOWN = 200

// What Fastify itself and its plugins throw, in our codes. The rest goes by status, and what has none is ours to blame.
const BY_CODE: Readonly<Record<string, PublicError>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: errors.INVALID_JSON,
  FST_ERR_CTP_EMPTY_JSON_BODY: errors.INVALID_JSON,
  FST_ERR_CTP_BODY_TOO_LARGE: errors.PAYLOAD_TOO_LARGE,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: errors.UNSUPPORTED_MEDIA_TYPE
}
const BY_STATUS: Readonly<Record<number, PublicError>> = {
  401: errors.UNAUTHORIZED,
  403: errors.FORBIDDEN,
  404: errors.NOT_FOUND,
  409: errors.CONFLICT,
  413: errors.PAYLOAD_TOO_LARGE,
  415: errors.UNSUPPORTED_MEDIA_TYPE,
  429: errors.RATE_LIMITED,
  502: errors.UPSTREAM_ERROR,
  503: errors.UNAVAILABLE,
  504: errors.UPSTREAM_TIMEOUT
}

/** Any thrown value as the error that a client may see: text that is not ours is replaced by the code's own message. */
export function toPublicError (thrown: unknown): GatehouseError {
  if (thrown instanceof GatehouseError) return thrown
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Partial<FastifyError>
  if (error.validation !== undefined) {
    const reason = unknownMember(error.validation)
    return new errors.INVALID_REQUEST({ details: detailsOf(error.validation), cause: thrown, ...reason === null ? {} : { reason } })
  }
  const known = error.code === undefined ? undefined : BY_CODE[error.code]
  if (known !== undefined) return new known({ cause: thrown })
  const status = error.statusCode ?? 500
  const byStatus = BY_STATUS[status] ?? (status >= 400 && status < 500 ? errors.INVALID_REQUEST : errors.INTERNAL_ERROR)
  return new byStatus({ cause: thrown })
}

function detailsOf (validation: NonNullable<FastifyError['validation']>): ErrorDetail[] {
  return validation.map(({ instancePath, params, message = 'is not valid' }) => {
    const missing = typeof params.missingProperty === 'string' ? `/${params.missingProperty}` : ''
    return { path: instancePath + missing, message }
  })
}

/** Names a member that the schema does not know. For the log alone: a response contains no text of the request. */
function unknownMember (validation: NonNullable<FastifyError['validation']>): string | null {
  for (const { params } of validation) {
    const { additionalProperty: name } = params
    if (typeof name === 'string') return `"${printableLine(name, MAX_SHOWN)}" is unknown`
  }
  return null
}

/** The envelope `{"error":{"code","message","details"?}}` as text. */
export function envelope ({ code, message, details }: GatehouseError): string {
  return JSON.stringify({ error: details === undefined ? { code, message } : { code, message, details } })
}

/**
 * Answers with the envelope: the one way in which the suite refuses, on its own routes and in guards on a host's route
 * (whose error handler would reshape what a guard throws).
 */
export function refuse (reply: FastifyReply, error: GatehouseError): FastifyReply {
  logRefusal(reply, error)
  if (refused.hasSubscribers) refused.publish({ request: reply.request, reply, error } satisfies RefusedMessage)
  reply.code(error.statusCode).header('Cache-Control', 'no-store')
  // @fastify/rate-limit has set the exact wait already.
  if (error.retryAfterSeconds !== undefined && !reply.hasHeader('Retry-After')) reply.header('Retry-After', String(Math.ceil(error.retryAfterSeconds)))
  if (error.statusCode === 401 && !reply.hasHeader('WWW-Authenticate')) reply.header('WWW-Authenticate', 'Bearer')
  // A string goes out as it is, past a response schema that the host's route may have for this status.
  return sendOwn(reply.type('application/json; charset=utf-8'), envelope(error))
}

/**
 * The refusal of a page by its `Origin`. The reason, for the log alone, names the origin, so that the operator sees which domain is missing.
 */
export function refusedOrigin (origin: string): GatehouseError {
  return new errors.ORIGIN_NOT_ALLOWED({ reason: `the origin "${printableLine(origin, MAX_SHOWN)}" is not among the allowed ones` })
}

/** Says in the log why a request was refused, which the caller does not learn. */
export function logRefusal (reply: FastifyReply, error: GatehouseError): void {
  if (error.upstream !== undefined) logUpstreamRefusal(reply, error.upstream)
  if (error.statusCode >= 500) reply.log.error({ err: error.cause ?? error, code: error.code, reason: error.reason }, 'request failed')
  else reply.log.info({ code: error.code, reason: error.reason }, 'request refused')
}

/** Logs at `warn` that an upstream refused a request of ours, with its status, code and cleaned message. */
export function logUpstreamRefusal (reply: FastifyReply, refusal: UpstreamRefusal): void {
  reply.log.warn({ ...refusal }, 'upstream refused the request')
}
