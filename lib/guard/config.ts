import type { FastifyInstance, FastifyRequest } from 'fastify'

declare module 'fastify' {
  /** The guard settings of a route under `config.gatehouse`. Each guard plugin extends this interface. */
  interface GatehouseRouteConfig {
    /**
     * The credential that this route issues. The captcha and CSRF guards do not apply to the route unless it configures
     * them, because otherwise no page could get its first credential.
     */
    issues?: 'captcha' | 'csrf'
  }

  interface FastifyContextConfig {
    gatehouse?: GatehouseRouteConfig
  }
}

/** The guard settings of a route. */
export type Config = import('fastify').GatehouseRouteConfig

// Symbol.for, so that two copies of the package in one process share the property.
const GUARD_CONFIG: unique symbol = Symbol.for('fastify-gatehouse.guardConfig') as never

/** A request with a cache of its route's `config.gatehouse`. */
type RequestWithConfig = FastifyRequest & { [GUARD_CONFIG]: Config | null }

/** The `config.gatehouse` of a route that has none. */
export const NOTHING: Config = Object.freeze({})

/** Adds the cache of `guardConfig` to every request of the scope. */
export function decorateGuardConfig (app: FastifyInstance): void {
  if (!app.hasRequestDecorator(GUARD_CONFIG)) app.decorateRequest(GUARD_CONFIG, null)
}

/**
 * Returns `config.gatehouse` of the request's route. Reads it once per request, because `routeOptions` is a new object
 * each time.
 */
export function guardConfig (request: FastifyRequest): Config {
  const cached = request as RequestWithConfig
  cached[GUARD_CONFIG] ??= (request.routeOptions.config.gatehouse as Config | undefined) ?? NOTHING
  return cached[GUARD_CONFIG]
}
