import type { FastifyInstance } from 'fastify'

/**
 * Calls `declare` once for each path of the routes that the scope declares from here on, so that it declares the
 * route for the preflights
 * of that path. `path` has no prefix. Paths that have a route for OPTIONS are left out.
 */
export function preflightEachPath (scope: FastifyInstance, declare: (path: string) => void): void {
  const declared = new Set<string>()
  scope.addHook('onRoute', function declarePreflight ({ method, url }) {
    if (declared.has(url)) return
    declared.add(url)
    if (![method].flat().includes('OPTIONS')) declare(url.slice(scope.prefix.length))
  })
}
