import type { Socket } from 'node:net'

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import { decorateRoute, routeOf } from '../../lib/http/route-of.js'
import type { Instruments } from './instruments.js'

/** Other methods share one label, as clients may send any of the methods that Node.js knows. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** The labels of requests to unknown paths and with rare methods. */
const UNKNOWN_ROUTE = 'unknown'
const OTHER_METHOD = 'other'
const STATUS_CLASSES = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx']

/** The statuses of the responses to requests that Node.js cannot parse, by the code of the error. */
const PARSER_STATUS: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431
}

type Requests = Pick<Instruments, 'requests' | 'requestDuration'>

/** Counts the requests of the scope by the template of their route, such as `/v1/admin/sources/:id`. */
export function countRequests (app: FastifyInstance, { requests, requestDuration }: Requests): void {
  decorateRoute(app)
  app.addHook('onResponse', function countRequest (request, reply, done) {
    const { statusCode, elapsedTime } = reply
    const method = methodOf(request)
    const route = request.is404 ? UNKNOWN_ROUTE : routeOf(request).url ?? UNKNOWN_ROUTE
    requests.at(method, route, statusCode).add()
    requestDuration.at(method, route, STATUS_CLASSES[Math.floor(statusCode / 100)]).observe(elapsedTime / 1_000)
    done()
  })
  // Before the handler of Fastify, which destroys the socket.
  app.server.prependListener('clientError', function countUnreadable (error: NodeJS.ErrnoException, socket: Socket) {
    if (!socket.writable || error.code === 'ECONNRESET' || hasResponse(socket)) return
    requests.at(OTHER_METHOD, UNKNOWN_ROUTE, PARSER_STATUS[error.code ?? ''] ?? 400).add()
  })
}

/**
 * Counts a refused request for which Fastify runs no hook: a path that cannot be decoded, or a parameter that is too
 * long, if the app has `frameworkErrors`.
 */
export function countWithoutHooks (
  { requests }: Requests,
  request: FastifyRequest,
  reply: FastifyReply,
  statusCode: number
): void {
  // Fastify measures the time of the requests whose hooks run.
  if (reply.elapsedTime === 0) requests.at(methodOf(request), UNKNOWN_ROUTE, statusCode).add()
}

function methodOf ({ method }: FastifyRequest): string {
  return METHODS.has(method) ? method : OTHER_METHOD
}

/** Returns whether the response has begun, so that the request is not answered again. Node.js has no public way. */
function hasResponse (socket: Socket & { _httpMessage?: { headersSent: boolean } | null }): boolean {
  return socket._httpMessage?.headersSent === true
}
