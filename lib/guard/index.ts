import type { FastifyInstance, FastifyRequest } from 'fastify'

import { INVALID_OPTIONS } from '../errors.js'
import { decorateRoute } from '../http/route-of.js'
import { guardConfig } from './config.js'
import type { Config } from './config.js'
import { hasCors, isPreflight, refuseStrayPreflights } from './preflight.js'
import { addGuard, allGuards, resolvedGuards } from './registry.js'
import { refuseFaultyConfig, watchRoutes } from './route-check.js'

type GuardName = Exclude<keyof Config & string, 'issues'>

export interface GuardDefinition<Name extends GuardName> {
  /** The key under `config.gatehouse`. */
  name: Name
  /** The value for routes that do not configure the guard; `undefined`: the guard does not apply to them. */
  fallback?: Config[Name] | undefined
  /**
   * The credentials whose routes are exempt from the fallback: a route declares the credential that it issues by
   * `issues`
   * in its `config.gatehouse`. Default: none.
   */
  exempts?: ReadonlyArray<NonNullable<Config['issues']>>
  /** Returns whether a configured value is valid. */
  accepts: (value: unknown) => boolean
  /** A description of the valid values, for the error at start. */
  expected: string
  /** The OpenAPI security scheme of guarded routes. Default: none. */
  securityScheme?: string
  /** Whether the guard can refuse a request; `false` if it only reads requests. Default: `true`. */
  refuses?: boolean
  /**
   * How the guard handles CORS preflights, which carry no credentials. `pass`: lets a preflight pass if `@fastify/cors`
   * or a route for OPTIONS alone answers it, otherwise refuses it. `check`: handles it like any request. Default:
   * `pass`.
   */
  preflights?: 'pass' | 'check'
}

/**
 * Registers a guard in the scope. Returns a function that returns the guard's value for a request: the route's
 * `config.gatehouse` value, else the fallback. The function returns `undefined` if the guard does not apply: no value,
 * a preflight that passes, or a route of an inner scope with its own registration of the guard.
 */
export function defineGuard<Name extends GuardName> (
  app: FastifyInstance,
  definition: GuardDefinition<Name>
): (request: FastifyRequest) => Config[Name] | undefined {
  const { name, fallback, exempts = [], accepts, expected, securityScheme, refuses = true, preflights = 'pass' } =
    definition
  const passesPreflights = preflights === 'pass'
  const registration = {
    fallback,
    exempts,
    accepts,
    expected,
    securityScheme,
    refuses,
    passesPreflights,
    isAfterCors: hasCors(app)
  }
  const isChecked = allGuards(app).size > 0
  if (!addGuard(app, name, registration)) throw new INVALID_OPTIONS(`${name}: already registered in this scope`)
  if (!isChecked) refuseFaultyConfig(app)
  if (refuses && passesPreflights) refuseStrayPreflights(app, name, registration)
  watchRoutes(app)
  decorateRoute(app)

  return function ruleFor (request) {
    if (resolvedGuards(request.server).get(name) !== registration || (passesPreflights && isPreflight(request))) {
      return undefined
    }
    const config = guardConfig(request)
    return config[name] ?? (config.issues !== undefined && exempts.includes(config.issues) ? undefined : fallback)
  }
}

/** Returns whether the scope or a parent scope has the guard. */
export function hasGuard (app: FastifyInstance, name: GuardName): boolean {
  return allGuards(app).has(name)
}
