import type { FastifyInstance, FastifyRequest } from 'fastify'

declare module 'fastify' {
  /** What a route may ask of the suite under `config.gatehouse`; each guard plugin extends it. */
  interface GatehouseRouteConfig {
    /**
     * The credential that this route hands out: the captcha and CSRF guards let it pass unless it names them, or no page could get its first one.
     */
    issues?: 'captcha' | 'csrf'
  }

  interface FastifyContextConfig {
    gatehouse?: GatehouseRouteConfig
  }
}

/** The options of a route under `config.gatehouse`. */
export type Config = import('fastify').GatehouseRouteConfig

// By Symbol.for, so that two copies of the package in one tree share it.
const ASKED: unique symbol = Symbol.for('fastify-gatehouse.asked') as never

/** A request with its route's `config.gatehouse`, once it was read. */
type Asking = FastifyRequest & { [ASKED]: Config | null }

/** The `config.gatehouse` of a route that has none. */
export const NOTHING: Config = Object.freeze({})

/** Gives every request of the scope the place in which `guardConfig` keeps what it reads. */
export function decorateGuardConfig (app: FastifyInstance): void {
  if (!app.hasRequestDecorator(ASKED)) app.decorateRequest(ASKED, null)
}

/** The `config.gatehouse` of the request's route. It is read once per request, because `routeOptions` is a new object at each read. */
export function guardConfig (request: FastifyRequest): Config {
  const asking = request as Asking
  asking[ASKED] ??= (request.routeOptions.config.gatehouse as Config | undefined) ?? NOTHING
  return asking[ASKED]
}
