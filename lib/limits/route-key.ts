import type { FastifyRequest } from 'fastify'

import { routeOf } from '../http/route-of.js'

/** Returns a key for the route of a request, independent of the requested path. HEAD shares the key of GET. */
export function routeKey (request: FastifyRequest): string {
  const { method, url } = routeOf(request)
  const methods = String(method)
  return `${methods === 'HEAD' ? 'GET' : methods} ${url ?? ''}`
}
