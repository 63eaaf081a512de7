import type { FastifyInstance, FastifyRequest } from 'fastify'

type Route = FastifyRequest['routeOptions']

// Symbol.for, so that two copies of the package in one process share the property.
const ROUTE: unique symbol = Symbol.for('fastify-gatehouse.route') as never

type RequestWithRoute = FastifyRequest & { [ROUTE]?: Route | null }

/** Adds the cache of `routeOf` to every request of the scope. */
export function decorateRoute (scope: FastifyInstance): void {
  if (!scope.hasRequestDecorator(ROUTE)) scope.decorateRequest(ROUTE, null)
}

/**
 * Returns the options of the request's route, which Fastify collects into a new object at each read of `routeOptions`.
 * A handler may call `reply.callNotFound()`: read `request.is404` as well where that matters.
 */
export function routeOf (request: FastifyRequest): Route {
  const cached = request as RequestWithRoute
  cached[ROUTE] ??= request.routeOptions
  return cached[ROUTE]
}
