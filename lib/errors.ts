import createError from '@fastify/error'

import { assertKnownOptions } from '../signing/known-options.js'
import type { KnownOptions } from '../signing/known-options.js'
import type { UpstreamRefusal } from './upstream-client/refusal.js'

export interface ErrorDetail {
  /** JSON pointer of the invalid value; empty for the whole body. */
  path: string
  message: string
}

export interface PublicErrorOptions {
  /**
   * Replaces the default message of the code. For the end user: must not contain a secret, an upstream's message or
   * request data.
   */
  message?: string
  /** The invalid fields of a body. */
  details?: readonly ErrorDetail[]
  /** Seconds after which the client may retry; sent as `Retry-After`. */
  retryAfterSeconds?: number
  /** The failed check; only logged. */
  reason?: string
  /** The upstream's refusal: logged, and its status and code are stored in the audit entry. */
  upstream?: UpstreamRefusal
  cause?: unknown
}

const KNOWN: KnownOptions<PublicErrorOptions> = {
  message: true,
  details: true,
  retryAfterSeconds: true,
  reason: true,
  upstream: true,
  cause: true
}
const RENAMED = { retryAfter: 'retryAfterSeconds' }

/**
 * The base class of every error that the suite sends. The client receives `code`, `statusCode` and `message`. An error
 * with a status below 500 has no `stack`.
 */
export class GatehouseError extends Error {
  declare code: string
  declare statusCode: number
  details?: readonly ErrorDetail[]
  retryAfterSeconds?: number
  reason?: string
  upstream?: UpstreamRefusal
}

/** Its constructor throws a TypeError for an unknown option, and for an Error, whose message is not for the client. */
export type PublicError = new(options?: PublicErrorOptions) => GatehouseError

function publicError (code: string, statusCode: number, summary: string, retryAfterSeconds?: number): PublicError {
  const Base = createError<[string]>(
    code,
    '%s',
    statusCode,
    GatehouseError as unknown as ErrorConstructor,
    // Errors of clients have no stack: it is not logged and costs a sixth of a refusal (bench/README.md).
    statusCode >= 500
  )
  return class extends Base {
    constructor (options: PublicErrorOptions = {}) {
      assertErrorOptions(code, options)
      super(options.message ?? summary)
      const wait = options.retryAfterSeconds ?? retryAfterSeconds
      if (options.details !== undefined) this.details = options.details
      if (wait !== undefined) this.retryAfterSeconds = wait
      if (options.reason !== undefined) this.reason = options.reason
      if (options.upstream !== undefined) this.upstream = options.upstream
      if (options.cause !== undefined) this.cause = options.cause
    }

    declare details?: readonly ErrorDetail[]
    declare retryAfterSeconds?: number
    declare reason?: string
    declare upstream?: UpstreamRefusal
  } as unknown as PublicError
}

function assertErrorOptions (code: string, options: unknown): asserts options is PublicErrorOptions {
  if (typeof options !== 'object' || options === null || options instanceof Error) {
    throw new TypeError(`${code}: the argument must be an object of options, such as { message } or { cause: error }`)
  }
  assertKnownOptions(code, options, KNOWN, RENAMED)
}

export const INVALID_REQUEST = publicError('INVALID_REQUEST', 400, 'The request is not valid')
export const INVALID_JSON = publicError('INVALID_JSON', 400, 'The body is not valid JSON')
export const UNAUTHORIZED = publicError('UNAUTHORIZED', 401, 'Authentication is required')
export const INVALID_PIPELINE_KEY = publicError('INVALID_PIPELINE_KEY', 401, 'The pipeline key is missing or not valid')
export const INVALID_SIGNATURE = publicError('INVALID_SIGNATURE', 401, 'The signature is not valid')
export const SIGNATURE_REQUIRED = publicError('SIGNATURE_REQUIRED', 401, 'A signature is required')
export const TIMESTAMP_OUT_OF_RANGE = publicError(
  'TIMESTAMP_OUT_OF_RANGE',
  401,
  'The timestamp is missing, malformed or too far off'
)
export const INVALID_CREDENTIALS = publicError('INVALID_CREDENTIALS', 401, 'The email or the password is wrong')
export const ACCOUNT_LOCKED = publicError('ACCOUNT_LOCKED', 401, 'Too many failed attempts; try again later')
export const EXPIRED_TOKEN = publicError('EXPIRED_TOKEN', 401, 'The token has expired')
export const INVALID_TOKEN = publicError('INVALID_TOKEN', 401, 'The token is not valid')
export const INVALID_REFRESH_TOKEN = publicError('INVALID_REFRESH_TOKEN', 401, 'The refresh token is not valid')
export const FORBIDDEN = publicError('FORBIDDEN', 403, 'This is not allowed')
export const ORIGIN_NOT_ALLOWED = publicError('ORIGIN_NOT_ALLOWED', 403, 'This origin is not allowed')
export const HTTPS_REQUIRED = publicError('HTTPS_REQUIRED', 403, 'HTTPS is required')
export const CAPTCHA_FAILED = publicError('CAPTCHA_FAILED', 403, 'The captcha was not solved')
export const CSRF_FAILED = publicError('CSRF_FAILED', 403, 'The CSRF check failed')
export const NOT_FOUND = publicError('NOT_FOUND', 404, 'Not found')
export const CONFLICT = publicError('CONFLICT', 409, 'This conflicts with the present state')
export const PAYLOAD_TOO_LARGE = publicError('PAYLOAD_TOO_LARGE', 413, 'The body is too large')
export const UNSUPPORTED_MEDIA_TYPE = publicError(
  'UNSUPPORTED_MEDIA_TYPE',
  415,
  'This media type or content encoding is not supported'
)
export const RATE_LIMITED = publicError('RATE_LIMITED', 429, 'Too many requests; slow down', 1)
export const TOO_MANY_CONNECTIONS = publicError('TOO_MANY_CONNECTIONS', 429, 'Too many connections')
export const INTERNAL_ERROR = publicError('INTERNAL_ERROR', 500, 'Something went wrong on our side')
export const UPSTREAM_ERROR = publicError('UPSTREAM_ERROR', 502, 'The upstream service returned no usable response')
export const UNAVAILABLE = publicError('UNAVAILABLE', 503, 'The service is not available right now; try again', 1)
export const UPSTREAM_TIMEOUT = publicError('UPSTREAM_TIMEOUT', 504, 'The upstream service did not respond in time')

/** The class of `INVALID_OPTIONS`. */
export type OptionsError = new(message: string) => Error & { readonly code: string, readonly statusCode?: number }

/** Thrown at registration. The message names the option and the valid values. Never sent to a client. */
export const INVALID_OPTIONS: OptionsError = createError<[string]>('INVALID_OPTIONS', '%s', 500)
export type { UpstreamRefusal } from './upstream-client/refusal.js'
