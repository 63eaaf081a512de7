import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import { LRUCache } from 'lru-cache'

import { CHANNELS } from './channels.js'
import type { GuardDecision } from './channels.js'
import * as errors from './errors.js'
import { GatehouseError } from './errors.js'
import type { PublicError } from './errors.js'
import { sendProtected } from './http/protected-replies.js'
import { addRequestId } from './http/request-id.js'
import { logRefusal } from './refusal-log/index.js'
import { shownOrigin } from './refusal-log/shown.js'
import { unknownProperty, violationDetail } from './violations.js'

// Maps errors of Fastify and its plugins to the suite's codes. Other errors are mapped by status; without one, 500.
const BY_CODE: Readonly<Record<string, PublicError>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: errors.INVALID_JSON,
  FST_ERR_CTP_EMPTY_JSON_BODY: errors.INVALID_JSON,
  FST_ERR_CTP_BODY_TOO_LARGE: errors.PAYLOAD_TOO_LARGE,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: errors.UNSUPPORTED_MEDIA_TYPE
}
/** The error of a status, where nothing else is known of it. */
export const BY_STATUS: Readonly<Record<number, PublicError>> = {
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
    const reason = unknownProperty(error.validation)
    return new errors.INVALID_REQUEST({
      details: error.validation.map(violationDetail),
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

/** The last envelopes without details, by message: nearly all refusals have the message of their code. */
const envelopes = new LRUCache<string, { code: string, body: string }>({ max: 200 })

/** Returns the envelope `{"error":{"code","message","details"?}}` as a JSON string. */
export function envelope ({ code, message, details }: GatehouseError): string {
  if (details !== undefined) return JSON.stringify({ error: { code, message, details } })
  const known = envelopes.get(message)
  if (known?.code === code) return known.body
  const body = JSON.stringify({ error: { code, message } })
  envelopes.set(message, { code, body })
  return body
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
 * A guard passes its name, and the body if it has read it.
 */
export function refuse (
  reply: FastifyReply,
  error: GatehouseError,
  guard?: GuardDecision,
  received?: Buffer
): FastifyReply {
  logRefusal(reply, error, guard)
  if (CHANNELS.refused.hasSubscribers) {
    CHANNELS.refused.publish({ request: reply.request, reply, error, guard, body: received })
  }
  reply.code(error.statusCode).header('cache-control', 'no-store')
  addRequestId(reply)
  // @fastify/rate-limit may already have set the exact time.
  if (error.retryAfterSeconds !== undefined && !reply.hasHeader('retry-after')) {
    reply.header('retry-after', String(Math.ceil(error.retryAfterSeconds)))
  }
  if (error.statusCode === 401 && !reply.hasHeader('www-authenticate')) reply.header('www-authenticate', 'Bearer')
  const { mediaType, body } = (reply as FormattedReply)[ERROR_FORMAT]?.(error) ?? {
    mediaType: 'application/json',
    body: envelope(error)
  }
  // A string bypasses a response schema that the host's route may have for this status.
  return sendProtected(reply.type(`${mediaType}; charset=utf-8`), body)
}

/** The reasons of the last refused origins, by origin: a page sends many requests. */
const originReasons = new LRUCache<string, string>({ max: 100 })
/** Characters. A longer origin is no origin of a page, and would take memory. */
const MAX_ORIGIN = 300

/**
 * Returns the refusal of a page by its `Origin`. The logged reason contains the origin, to show which domain is
 * missing.
 */
export function refusedOrigin (origin: string): GatehouseError {
  let reason = originReasons.get(origin)
  if (reason === undefined) {
    reason = `the origin "${shownOrigin(origin)}" is not allowed`
    if (origin.length <= MAX_ORIGIN) originReasons.set(origin, reason)
  }
  return new errors.ORIGIN_NOT_ALLOWED({ reason })
}
