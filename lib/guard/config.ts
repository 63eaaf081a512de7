import type { FastifyRequest } from 'fastify'

import { routeOf } from '../http/route-of.js'

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

/** The `config.gatehouse` of a route that has none. */
export const NOTHING: Config = Object.freeze({})

/** Returns `config.gatehouse` of the request's route. */
export function guardConfig (request: FastifyRequest): Config {
  return (routeOf(request).config.gatehouse as Config | undefined) ?? NOTHING
}
