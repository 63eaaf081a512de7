import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'

import { FORBIDDEN } from '../errors.js'
import { refuse } from '../refuse.js'
import { guardConfig } from './config.js'
import { isOn, resolvedGuards, ruleOf } from './registry.js'
import type { Registration } from './registry.js'

/** How `@fastify/cors` marks the requests of a scope, `true` once it has granted a preflight. */
const CORS_MARK = 'corsPreflightEnabled'

/** Whether the request is a CORS preflight. */
export function isPreflight ({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && Boolean(headers.origin) && Boolean(headers['access-control-request-method'])
}

/** Whether `@fastify/cors` is registered in the scope, or in one around it. */
export function hasCors (scope: FastifyInstance): boolean {
  return scope.hasRequestDecorator(CORS_MARK)
}

/**
 * A preflight carries no credentials, so that it passes a guard: for `@fastify/cors`, or for a route for OPTIONS
 * alone, to answer. Anything else
 * would run unguarded for anyone whose request looks like a preflight: the handler of a route for other methods, the
 * 404 handler, and the hooks and
 * middleware of the host that stand behind the guard. So the guard itself refuses such a request, in its own place
 * among the hooks.
 */
export function refuseStrayPreflights (scope: FastifyInstance, name: string, registration: Registration): void {
  scope.addHook('onRequest', function refuseStray (request, reply, done) {
    if (!isPreflight(request) || resolvedGuards(request.server).get(name) !== registration) return done()
    if (
      !demands(name, registration, guardConfig(request) as Record<string, unknown>) || isHandled(request, registration)
    ) return done()
    refuse(
      reply,
      new FORBIDDEN({
        reason: 'a CORS preflight that neither a route for OPTIONS alone nor an earlier @fastify/cors answers'
      })
    )
  })
}

/**
 * What is wrong with a route that answers OPTIONS among other methods: `@fastify/cors` that is registered after the
 * guard would have to answer its
 * preflights, which the guard refuses before. `null`: nothing.
 */
export function preflightProblem (
  { method, config }: RouteOptions,
  scope: FastifyInstance,
  guards: ReadonlyMap<string, Registration>
): string | null {
  const methods = [method].flat()
  const { cors, gatehouse: settings } = (config ?? {}) as { cors?: unknown, gatehouse?: Record<string, unknown> }
  if (!methods.includes('OPTIONS') || methods.length === 1 || !hasCors(scope) || cors === false) return null
  for (const [name, registration] of guards) {
    if (registration.isAfterCors || !registration.passesPreflights || !demands(name, registration, settings)) continue
    return `${name} refuses the preflights of a route for OPTIONS and other methods before @fastify/cors sees them; ` +
      'register @fastify/cors before the guard, in the same scope or in one around it'
  }
  return null
}

function demands (
  name: string,
  registration: Registration,
  config: Readonly<Record<string, unknown>> | undefined
): boolean {
  const value = ruleOf(name, registration, config)
  return registration.refuses && value !== 'optional' && isOn(value)
}

function isHandled (request: FastifyRequest, { isAfterCors }: Registration): boolean {
  const { method, url = '' } = request.routeOptions
  if (![method].flat().every((one) => one === 'OPTIONS')) return false
  // The route `*` of @fastify/cors responds with 404 to a preflight that was not granted. Only its URL identifies it,
  // as it has no `config` and is declared before the guard, so that no hook of the guard could mark it.
  const isOfCors = url === `${request.server.prefix}*`
  return !(isAfterCors && isOfCors && (request as { [CORS_MARK]?: boolean })[CORS_MARK] === false)
}
