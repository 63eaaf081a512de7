import type { FastifyInstance, FastifyRequest } from 'fastify'

import { INVALID_OPTIONS } from '../errors.js'
import { decorateGuardConfig, guardConfig } from './config.js'
import type { Config } from './config.js'
import { hasCors, isPreflight, refuseStrayPreflights } from './preflight.js'
import { addGuard, allGuards, resolvedGuards } from './registry.js'
import { refuseFaultyConfig, watchRoutes } from './route-check.js'

type GuardName = Exclude<keyof Config & string, 'issues'>

export interface GuardDefinition<Name extends GuardName> {
  /** The key under `config.gatehouse`. */
  name: Name
  /** What holds for a route that does not name the guard; `undefined`: the guard lets it pass. */
  fallback?: Config[Name] | undefined
  /**
   * The credentials whose own routes are exempt from the fallback: a route says by `issues` in its `config.gatehouse` which credential it hands out.
   * Default: none.
   */
  exempts?: ReadonlyArray<NonNullable<Config['issues']>>
  /** Whether a configured value is a legal one. */
  accepts: (value: unknown) => boolean
  /** The legal values in words, for the error at start-up. */
  expected: string
  /** The OpenAPI security scheme that a guarded route is marked with. Default: none. */
  securityScheme?: string
  /** Whether it may refuse a request, rather than only look at it. Default: `true`. */
  refuses?: boolean
  /**
   * What becomes of a CORS preflight, which carries no credentials: `pass` lets it by if `@fastify/cors` or a route for OPTIONS alone answers it
   * and refuses it otherwise, `check` treats it as any other request. Default: `pass`.
   */
  preflights?: 'pass' | 'check'
}

/**
 * Registers a guard with the scope and returns what a request's route asks of it: the value under `config.gatehouse`, else
 * the fallback, else `undefined`, which also stands for a CORS preflight that passes and for a route that an inner registration of
 * the same guard answers for.
 */
export function defineGuard<Name extends GuardName> (
  app: FastifyInstance, definition: GuardDefinition<Name>
): (request: FastifyRequest) => Config[Name] | undefined {
  const { name, fallback, exempts = [], accepts, expected, securityScheme, refuses = true, preflights = 'pass' } = definition
  const passesPreflights = preflights === 'pass'
  const registration = { fallback, exempts, accepts, expected, securityScheme, refuses, passesPreflights, isAfterCors: hasCors(app) }
  const isChecked = allGuards(app).size > 0
  if (!addGuard(app, name, registration)) throw new INVALID_OPTIONS(`${name}: already registered in this scope`)
  if (!isChecked) refuseFaultyConfig(app)
  if (refuses && passesPreflights) refuseStrayPreflights(app, name, registration)
  watchRoutes(app)
  decorateGuardConfig(app)

  return function ruleFor (request) {
    if (resolvedGuards(request.server).get(name) !== registration || (passesPreflights && isPreflight(request))) return undefined
    const config = guardConfig(request)
    return config[name] ?? (config.issues !== undefined && exempts.includes(config.issues) ? undefined : fallback)
  }
}

/** Whether the scope, or one around it, has this guard. */
export function hasGuard (app: FastifyInstance, name: GuardName): boolean {
  return allGuards(app).has(name)
}
