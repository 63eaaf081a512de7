import type { FastifyRequest } from 'fastify'

/** Returns a key for the route of a request, independent of the requested path. HEAD shares the key of GET. */
export function routeKey ({ routeOptions: { method, url } }: FastifyRequest): string {
  const methods = String(method)
  return `${methods === 'HEAD' ? 'GET' : methods} ${url ?? ''}`
}
