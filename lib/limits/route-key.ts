import type { FastifyRequest } from 'fastify'

/** Names the route of a request, whatever spelling of its path was asked for; HEAD is GET, whose work it costs. */
export function routeKey ({ routeOptions: { method, url } }: FastifyRequest): string {
  const methods = String(method)
  return `${methods === 'HEAD' ? 'GET' : methods} ${url ?? ''}`
}
