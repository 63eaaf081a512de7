import type { FastifyInstance, FastifyRequest } from 'fastify'

import type { Instruments } from './instruments.js'

/** Other methods share one label, as clients may send any of the methods that Node.js knows. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** The labels of requests to unknown paths and with rare methods. */
const UNKNOWN_ROUTE = 'unknown'
const OTHER_METHOD = 'other'

/** Counts the requests of the scope by the template of their route, such as `/v1/admin/sources/:id`. */
export function countRequests (app: FastifyInstance, { requests, requestDuration }: Instruments): void {
  app.addHook('onResponse', function countRequest (request, reply, done) {
    const { statusCode, elapsedTime } = reply
    const method = METHODS.has(request.method) ? request.method : OTHER_METHOD
    const route = routeOf(request)
    requests.inc({ method, route, status: statusCode })
    requestDuration.observe({ method, route, status_class: `${Math.floor(statusCode / 100)}xx` }, elapsedTime / 1_000)
    done()
  })
}

function routeOf ({ is404, routeOptions }: FastifyRequest): string {
  return is404 ? UNKNOWN_ROUTE : routeOptions.url ?? UNKNOWN_ROUTE
}
