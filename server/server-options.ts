import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { ServerOptions } from 'node:http'
import type { Socket } from 'node:net'

import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'

import { INVALID_REQUEST } from '../lib/errors.js'
import { REQUEST_ID_HEADER } from '../lib/http/request-id.js'
import { logUnreadable } from '../lib/refusal-log/index.js'
import { envelope, refuse, toPublicError } from '../lib/refuse.js'
import type { Config } from './config/index.js'
import { stdoutLog } from './log-output.js'
import { loggerOptions, RequestLog } from './logging.js'
import type { LogStream } from './logging.js'
import { requestIds } from './request-ids.js'
import { trustedProxies } from './config/trusted-proxies.js'

/** 16 KB of headers; Node.js answers 431 for more. */
const MAX_HEADER_BYTES = 16_384
const MAX_BODY_BYTES = 524_288

export interface ServerOptionsInput {
  config: Pick<Config, 'logLevel' | 'trustProxy' | 'limits'>
  /** The stream that receives the log. Default: stdout. */
  logStream?: LogStream
}

/** Fastify options: limits for slow, idle and oversized clients, and the error envelope for HTTP parser errors too. */
export function serverOptions ({ config, logStream = stdoutLog() }: ServerOptionsInput) {
  const { logLevel, trustProxy, limits } = config
  const isTrusted = trustProxy !== false && trustedProxies(trustProxy)
  return {
    logger: loggerOptions(logLevel, logStream),
    logController: new RequestLog(logStream),
    trustProxy: isTrusted,
    genReqId: requestIds(isTrusted),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: limits.REQUEST_TIMEOUT_MS,
    keepAliveTimeout: limits.KEEP_ALIVE_TIMEOUT_MS,
    // Node.js checks both timeouts at this interval; its default of 30 s would double them.
    http: {
      headersTimeout: limits.HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: 500,
      maxHeaderSize: MAX_HEADER_BYTES
    },
    routerOptions: { maxParamLength: 200 },
    // A request that arrives while the server drains is answered normally.
    return503OnClosing: false,
    frameworkErrors: sendFrameworkError,
    clientErrorHandler: sendClientError
  } satisfies FastifyServerOptions & { http: ServerOptions }
}

function sendFrameworkError (error: Error, _request: FastifyRequest, reply: FastifyReply): void {
  reply.header('X-Content-Type-Options', 'nosniff')
  refuse(reply, toPublicError(error))
}

const CLIENT_ERROR_STATUS: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413
}
const CLIENT_ERROR_BODY = envelope(new INVALID_REQUEST({ message: 'The request could not be read' }))

/** Answers a request that the HTTP parser cannot read. Never logs its bytes, which may contain secrets. */
function sendClientError (
  this: FastifyInstance,
  error: NodeJS.ErrnoException,
  socket: Socket & { _httpMessage?: { headersSent: boolean } | null }
): void {
  if (!socket.writable || error.code === 'ECONNRESET' || socket._httpMessage?.headersSent === true) {
    socket.destroy()
    return
  }
  const { code = 'UNKNOWN' } = error
  const status = CLIENT_ERROR_STATUS[code] ?? 400
  const reqId = randomUUID()
  logUnreadable(this, { code, status, reqId })
  socket.write(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      'Cache-Control: no-store',
      'X-Content-Type-Options: nosniff',
      `${REQUEST_ID_HEADER}: ${reqId}`,
      `Content-Length: ${Buffer.byteLength(CLIENT_ERROR_BODY)}`,
      '',
      CLIENT_ERROR_BODY
    ].join('\r\n'),
    () => socket.destroy()
  )
}
