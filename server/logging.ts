import { LogController } from 'fastify'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'

import { loggedAddress } from '../lib/http/client-address.js'
import { maskUrl, masksUrls } from '../lib/http/masked-request-log.js'
import { routeOf } from '../lib/http/route-of.js'
import { refusalCode } from '../lib/refusal-log/index.js'
import type { Config } from './config/index.js'
import { requestLine, roundedTime } from './request-line.js'

/** A stream that receives the lines of the log. */
export interface LogStream { write(line: string): void }

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
const PLACES = ['', 'headers', 'body', 'query', 'params', 'err', 'changes', 'config', 'options']
const REDACTED = PLACES.flatMap((place) =>
  SECRET_NAMES.map((name) => place === '' ? name : `${place}${name.startsWith('[') ? name : `.${name}`}`)
)
const IS_SECRET: ReadonlySet<string> = new Set(SECRET_NAMES.map((name) => name.replace(/^\["(.*)"\]$/, '$1')))

/**
 * Returns logger options for JSON lines without secrets: query values are masked and secret properties are redacted.
 */
export function loggerOptions (
  level: Config['logLevel'],
  stream: LogStream
): NonNullable<FastifyServerOptions['logger']> {
  return {
    level,
    redact: { paths: REDACTED, censor: '[redacted]' },
    serializers: { req: masksUrls(serializeRequest), res: serializeReply, err: serializeError, audit: serializeAudit },
    stream
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

/**
 * Redacts the details of an audit entry by one look-up per detail. The paths of `redact` took 7 % of the processor time
 * of a token (bench/README.md).
 */
function serializeAudit (entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null || !('changes' in entry)) return entry
  const { changes } = entry
  if (typeof changes !== 'object' || changes === null || !Object.keys(changes).some((name) => IS_SECRET.has(name))) {
    return entry
  }
  const safe = Object.entries(changes).map(([name, value]) => [name, IS_SECRET.has(name) ? '[redacted]' : value])
  return { ...entry, changes: Object.fromEntries(safe) as unknown }
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

/**
 * Logs one line per completed request, at `debug` for health checks. A refused request has the `code` of the error; why
 * it was refused is a separate line, which a flood of refusals leaves out.
 */
export class RequestLog extends LogController {
  readonly #stream: LogStream

  /** @param stream the stream of the logger */
  constructor (stream: LogStream) {
    super()
    this.#stream = stream
  }

  override incomingRequest (): void {}
  override routeNotFound (): void {}

  override requestCompleted (error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const { config, url } = routeOf(request)
    const level = config.quiet === true ? 'debug' : 'info'
    const log = reply.log as RequestLogger
    if (error == null && !log.isLevelEnabled(level)) return
    if (error == null && level === 'info' && hasOnlyId(log, reply)) {
      this.#stream.write(requestLine(request, reply, request.is404 ? undefined : url))
      return
    }
    const line = { req: request, res: reply, responseTime: roundedTime(reply), code: refusalCode(reply) }
    if (error == null) log[level](line, 'request completed')
    else log.error({ ...line, err: error }, 'request errored')
  }
}

type RequestLogger = FastifyBaseLogger & { isLevelEnabled (level: string): boolean }

/** Returns whether the lines of a logger have the id of the request and no other bindings, such as those of a trace. */
function hasOnlyId (log: RequestLogger, { server }: FastifyReply): boolean {
  return Object.getPrototypeOf(log) === server.log
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Log the requests of this route at `debug` only. */
    quiet?: boolean
  }
}
