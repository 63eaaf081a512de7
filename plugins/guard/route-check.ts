import { subscribe } from 'node:diagnostics_channel'

import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'

import { INVALID_OPTIONS } from '../errors.js'
import { allGuards, isOn } from './registry.js'
import type { Registration } from './registry.js'

const WATCHED: unique symbol = Symbol.for('fastify-gatehouse.watched') as never

type Scope = FastifyInstance & { [WATCHED]?: true }
interface WatchedRoute { scope: FastifyInstance, options: RouteOptions }

/**
 * Collects the routes below a scope that have a `config.gatehouse` or are guarded by default, and checks them when all
 * plugins are loaded: a typo, a wrong value or a guard that nobody registered stops the start.
 */
export function watchRoutes (scope: Scope): void {
  if (scope[WATCHED] === true) return
  scope[WATCHED] = true
  const routes: WatchedRoute[] = []
  scope.addHook('onRoute', function collect (options) {
    routes.push({ scope: this, options })
  })
  scope.addHook('onReady', async function checkRoutes () {
    for (const route of routes.splice(0)) checkRoute(route)
  })
}

function checkRoute ({ scope, options }: WatchedRoute): void {
  const guards = allGuards(scope)
  const config: unknown = options.config?.gatehouse
  const where = `${String(options.method)} ${options.url}: config.gatehouse`
  if (config !== undefined) {
    if (typeof config !== 'object' || config === null) throw new INVALID_OPTIONS(`${where} must be an object`)
    for (const [name, value] of Object.entries(config)) {
      const guard = guards.get(name)
      if (guard === undefined) throw new INVALID_OPTIONS(`${where}.${name}: no guard of that name is registered in the route's scope`)
      if (!guard.accepts(value)) throw new INVALID_OPTIONS(`${where}.${name} must be ${guard.expected}`)
    }
  }
  if (options.method !== 'OPTIONS') describeSecurity(options, config as Record<string, unknown> | undefined, guards)
}

function describeSecurity (options: RouteOptions, config: Record<string, unknown> | undefined, guards: Map<string, Registration>): void {
  const schemes = new Set<string>()
  for (const [name, { fallback, securityScheme }] of guards) {
    const value = config?.[name] ?? fallback
    if (securityScheme !== undefined && isOn(value)) schemes.add(securityScheme)
  }
  if (schemes.size === 0) return
  const schema: FastifySchema & { security?: unknown } = options.schema ?? {}
  schema.security ??= [Object.fromEntries([...schemes].map((scheme) => [scheme, []]))]
  options.schema = schema
}

// Seen from its birth, an app shows also the routes that it declares before the first of our plugins runs.
subscribe('fastify.initialization', (message) => {
  watchRoutes((message as { fastify: Scope }).fastify)
})
