import type { FastifyInstance, FastifyRequest } from 'fastify'

import { FORBIDDEN } from '../errors.js'
import { refuse } from '../refuse.js'
import { isOn, resolvedGuards } from './registry.js'

/** Whether the request is a CORS preflight. */
export function isPreflight ({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}

/**
 * A preflight carries no credentials, so that it passes all guards: for @fastify/cors, or for a route for OPTIONS alone, to answer. A handler that is there for
 * other methods as well would run unguarded for anyone who makes a request look like one.
 */
export function refuseStrayPreflights (scope: FastifyInstance): void {
  scope.addHook('preParsing', function refuseStray (request, reply, payload, done) {
    if (!isPreflight(request) || isForOptionsAlone(request) || !isGuarded(request)) return done(null, payload)
    refuse(reply, new FORBIDDEN({ reason: 'a CORS preflight that neither @fastify/cors nor a route for OPTIONS alone has answered' }))
  })
}

function isForOptionsAlone ({ routeOptions: { method } }: FastifyRequest): boolean {
  return [method].flat().every((one) => one === 'OPTIONS')
}

function isGuarded (request: FastifyRequest): boolean {
  const config = (request.routeOptions.config.gatehouse ?? {}) as Record<string, unknown>
  for (const [name, { fallback, refuses }] of resolvedGuards(request.server)) {
    const value = config[name] ?? fallback
    if (refuses && value !== 'optional' && isOn(value)) return true
  }
  return false
}
