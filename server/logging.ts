import { LogController } from 'fastify'
import type { FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'

import { loggedAddress } from '../lib/http/client-address.js'
import { maskUrl } from '../lib/http/masked-request-log.js'
import type { Config } from './config/index.js'

/** Property names whose values may be secrets. */
const SECRET_NAMES = [
  'authorization',
  'cookie',
  '["set-cookie"]',
  '["x-datafly-signature"]',
  '["x-signature"]',
  '["x-user-reference"]',
  '["x-proxy-auth-key"]',
  '["x-captcha-token"]',
  '["x-csrf-token"]',
  '["stripe-signature"]',
  '["x-shopify-hmac-sha256"]',
  '["x-hubspot-signature-v3"]',
  '["webhook-signature"]',
  '["x-plugin-token"]',
  'password',
  'token',
  'access_token',
  'refresh_token',
  'secret',
  'server_secret',
  'pipeline_key',
  'pipelineKey',
  'serverSecret',
  'apiKey',
  'embedSecret',
  'proxyAuthKey',
  'writeKey'
]

/**
 * Paths where such a property may occur. Listed one by one, because a wildcard costs more than the rest of a log line.
 */
const PLACES = ['', 'headers', 'body', 'query', 'params', 'err', 'changes', 'audit.changes', 'config', 'options']
const REDACTED = PLACES.flatMap((place) =>
  SECRET_NAMES.map((name) => place === '' ? name : `${place}${name.startsWith('[') ? name : `.${name}`}`)
)

/**
 * Returns logger options for JSON lines without secrets: query values are masked and secret properties are redacted.
 */
export function loggerOptions (
  level: Config['logLevel'],
  stream?: { write(line: string): void }
): NonNullable<FastifyServerOptions['logger']> {
  return {
    level,
    redact: { paths: REDACTED, censor: '[redacted]' },
    serializers: { req: serializeRequest, res: serializeReply, err: serializeError },
    ...(stream === undefined ? {} : { stream })
  }
}

/** A host may log an object that is not a request under `req`. */
function serializeRequest (request: FastifyRequest | { raw?: undefined }): Record<string, unknown> {
  if (request.raw === undefined) return {}
  const { method, url, routeOptions } = request
  return { method, url: maskUrl(url), route: routeOptions.url, remoteAddress: loggedAddress(request) || undefined }
}

function serializeReply ({ statusCode }: { statusCode?: number }): { statusCode: number } {
  return { statusCode: statusCode ?? 0 }
}

/** Omits other properties of the error, because database drivers put rows and parameters there. */
function serializeError (
  error: unknown
): { type: string, message: string, stack: string, code?: string, cause?: object } {
  if (!(error instanceof Error)) return { type: typeof error, message: '', stack: '' }
  const { name, message, stack, code, cause } = error as Error & { code?: unknown }
  return {
    type: name,
    message,
    stack: stack ?? '',
    ...(typeof code === 'string' ? { code } : {}),
    ...(cause instanceof Error ? { cause: serializeError(cause) } : {})
  }
}

/** Logs one line per completed request, at `debug` for health checks. Refusals are logged in separate lines. */
export class RequestLog extends LogController {
  override incomingRequest (): void {}
  override routeNotFound (): void {}

  override requestCompleted (error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const level = request.routeOptions.config.quiet === true ? 'debug' : 'info'
    const line = { req: request, res: reply, responseTime: Math.round(reply.elapsedTime * 1000) / 1000 }
    if (error == null) reply.log[level](line, 'request completed')
    else reply.log.error({ ...line, err: error }, 'request errored')
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Log the requests of this route at `debug` only. */
    quiet?: boolean
  }
}
