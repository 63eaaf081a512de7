import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'

import { printableLine } from '../signing/printable-line.js'
import { CHANNELS } from './channels.js'
import type { GuardDecision } from './channels.js'
import * as errors from './errors.js'
import { GatehouseError } from './errors.js'
import type { ErrorDetail, PublicError } from './errors.js'
import { sendProtected } from './http/protected-replies.js'
import type { UpstreamRefusal } from './upstream-client/refusal.js'

/** Maximum number of characters of a request that the log shows. */
const MAX_SHOWN = 200

// Maps errors of Fastify and its plugins to the suite's codes. Other errors are mapped by status; without one, 500.
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

/** Converts any thrown value to an error that is safe for clients: foreign messages become the default message. */
export function toPublicError (thrown: unknown): GatehouseError {
  if (thrown instanceof GatehouseError) return thrown
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Partial<FastifyError>
  if (error.validation !== undefined) {
    const reason = unknownMember(error.validation)
    return new errors.INVALID_REQUEST({
      details: detailsOf(error.validation),
      cause: thrown,
      ...reason === null ? {} : { reason }
    })
  }
  const known = error.code === undefined ? undefined : BY_CODE[error.code]
  if (known !== undefined) return new known({ cause: thrown })
  const status = error.statusCode ?? 500
  const byStatus = BY_STATUS[status] ?? (status >= 400 && status < 500 ? errors.INVALID_REQUEST : errors.INTERNAL_ERROR)
  return new byStatus({ cause: thrown })
}

function detailsOf (validation: NonNullable<FastifyError['validation']>): ErrorDetail[] {
  return validation.map((violation) => {
    const { instancePath, params } = violation
    const missing = typeof params.missingProperty === 'string' ? `/${params.missingProperty}` : ''
    return { path: instancePath + missing, message: violationMessage(violation) }
  })
}

/** Returns the message of a violation of a schema; for an enum it lists the allowed values, which Ajv leaves out. */
export function violationMessage (
  { params, message = 'is not valid' }: { params?: Readonly<Record<string, unknown>>, message?: string }
): string {
  const allowed = params?.allowedValues
  return Array.isArray(allowed) ? `${message}: ${allowed.map(String).join(', ')}` : message
}

/** Returns the log message for an unknown property. Responses never contain strings of the request. */
function unknownMember (validation: NonNullable<FastifyError['validation']>): string | null {
  for (const { params } of validation) {
    const { additionalProperty: name } = params
    if (typeof name === 'string') return `"${printableLine(name, MAX_SHOWN)}" is unknown`
  }
  return null
}

/** Returns the envelope `{"error":{"code","message","details"?}}` as a JSON string. */
export function envelope ({ code, message, details }: GatehouseError): string {
  return JSON.stringify({ error: details === undefined ? { code, message } : { code, message, details } })
}

/** Returns the media type and the body of an error. */
export type ErrorFormat = (error: GatehouseError) => { mediaType: string, body: string }

// Symbol.for, so that two copies of the package in one process share the property.
const ERROR_FORMAT: unique symbol = Symbol.for('fastify-gatehouse.errorFormat') as never

type FormattedReply = FastifyReply & { [ERROR_FORMAT]?: ErrorFormat }

/** Makes the routes and guards of a scope send errors in the format of a protocol instead of the envelope. */
export function useErrorFormat (scope: FastifyInstance, format: ErrorFormat): void {
  scope.decorateReply(ERROR_FORMAT, format)
}

/**
 * Sends an error in the envelope, or in the format of the scope. The suite refuses requests only through this function,
 * on its own routes and in guards on a host's routes, whose error handlers would reshape an error that a guard throws.
 * A guard passes its name.
 */
export function refuse (reply: FastifyReply, error: GatehouseError, guard?: GuardDecision): FastifyReply {
  logRefusal(reply, error)
  if (CHANNELS.refused.hasSubscribers) CHANNELS.refused.publish({ request: reply.request, reply, error, guard })
  reply.code(error.statusCode).header('Cache-Control', 'no-store')
  // @fastify/rate-limit may already have set the exact time.
  if (error.retryAfterSeconds !== undefined && !reply.hasHeader('Retry-After')) {
    reply.header('Retry-After', String(Math.ceil(error.retryAfterSeconds)))
  }
  if (error.statusCode === 401 && !reply.hasHeader('WWW-Authenticate')) reply.header('WWW-Authenticate', 'Bearer')
  const { mediaType, body } = (reply as FormattedReply)[ERROR_FORMAT]?.(error) ?? {
    mediaType: 'application/json',
    body: envelope(error)
  }
  // A string bypasses a response schema that the host's route may have for this status.
  return sendProtected(reply.type(`${mediaType}; charset=utf-8`), body)
}

/**
 * Returns the refusal of a page by its `Origin`. The logged reason contains the origin, to show which domain is
 * missing.
 */
export function refusedOrigin (origin: string): GatehouseError {
  return new errors.ORIGIN_NOT_ALLOWED({ reason: `the origin "${printableLine(origin, MAX_SHOWN)}" is not allowed` })
}

/** Logs why a request was refused. The caller does not receive the reason. */
export function logRefusal (reply: FastifyReply, error: GatehouseError): void {
  if (error.upstream !== undefined) logUpstreamRefusal(reply, error.upstream)
  const { code, reason } = error
  if (error.statusCode >= 500) reply.log.error({ err: error.cause ?? error, code, reason }, 'request failed')
  else reply.log.info({ code, reason }, 'request refused')
}

/** Logs at `warn` that an upstream refused a request, with the status, the code and the cleaned message. */
export function logUpstreamRefusal (reply: FastifyReply, refusal: UpstreamRefusal): void {
  reply.log.warn({ ...refusal }, 'upstream refused the request')
}
