import { subscribe } from 'node:diagnostics_channel'

import type { FastifyInstance, FastifyRequest, FastifySchema, RouteOptions } from 'fastify'

import { FORBIDDEN, INVALID_OPTIONS } from './errors.js'
import { refuse } from './refuse.js'

declare module 'fastify' {
  /** What a route may ask of the suite under `config.gatehouse`; each guard plugin extends it. */
  interface GatehouseRouteConfig {}

  interface FastifyContextConfig {
    gatehouse?: GatehouseRouteConfig
  }
}

type Config = import('fastify').GatehouseRouteConfig
type GuardName = keyof Config & string

export interface GuardDefinition<Name extends GuardName> {
  /** The key under `config.gatehouse`. */
  name: Name
  /** What holds for a route that does not name the guard; `undefined`: the guard lets it pass. */
  fallback?: Config[Name] | undefined
  /** Whether a configured value is a legal one. */
  accepts: (value: unknown) => boolean
  /** The legal values in words, for the error at start-up. */
  expected: string
  /** The OpenAPI security scheme that a guarded route is marked with. Default: none. */
  securityScheme?: string
}

interface Registration {
  fallback: unknown
  accepts: (value: unknown) => boolean
  expected: string
  securityScheme: string | undefined
}

interface WatchedRoute { scope: FastifyInstance, options: RouteOptions }

// By Symbol.for, so that two copies of the package in one tree see each other's guards.
const GUARDS: unique symbol = Symbol.for('fastify-gatehouse.guards') as never
const WATCHED: unique symbol = Symbol.for('fastify-gatehouse.watched') as never

const RESOLVED: unique symbol = Symbol.for('fastify-gatehouse.resolved') as never
const ASKED: unique symbol = Symbol.for('fastify-gatehouse.asked') as never

/** Guards are its own alone: those around it may be registered later. */
type Scope = FastifyInstance & { [GUARDS]?: Map<string, Registration>, [RESOLVED]?: Map<string, Registration>, [WATCHED]?: true }
/** With what its route asks for, once a guard has looked. */
type Asking = FastifyRequest & { [ASKED]: Config | null }

const NOTHING: Config = Object.freeze({})

/**
 * Registers a guard with the scope and returns what a request's route asks of it: the value under `config.gatehouse`, else
 * the fallback, else `undefined`, which also stands for a CORS preflight (it carries no credentials) and for a route that an
 * inner registration of the same guard answers for.
 */
export function defineGuard<Name extends GuardName> (
  app: FastifyInstance, definition: GuardDefinition<Name>
): (request: FastifyRequest) => Config[Name] | undefined {
  const { name, fallback, accepts, expected, securityScheme } = definition
  const registration: Registration = { fallback, accepts, expected, securityScheme }
  const scope = app as Scope
  const own = ownGuards(scope)
  if (own?.has(name) === true) throw new INVALID_OPTIONS(`${name}: already registered in this scope`)
  if (own === undefined) scope[GUARDS] = new Map([[name, registration]])
  else own.set(name, registration)
  if (own === undefined) refuseStrayPreflights(scope)
  watchRoutes(scope)
  if (!app.hasRequestDecorator(ASKED)) app.decorateRequest(ASKED, null)

  return function wanted (request) {
    if (resolvedGuards(request.server).get(name) !== registration || isPreflight(request)) return undefined
    // Each look at the options of a route makes them anew.
    const config = (request as Asking)[ASKED] ??= (request.routeOptions.config.gatehouse as Config | undefined) ?? NOTHING
    return config[name] ?? fallback
  }
}

/** Whether the scope, or one around it, has this guard. */
export function hasGuard (app: FastifyInstance, name: GuardName): boolean {
  return allGuards(app).has(name)
}

function ownGuards (scope: Scope): Map<string, Registration> | undefined {
  return Object.hasOwn(scope, GUARDS) ? scope[GUARDS] : undefined
}

/** The guards that hold in a scope: its own, and those of the scopes around it that it has not registered anew. */
function allGuards (scope: Scope): Map<string, Registration> {
  const guards = new Map<string, Registration>()
  for (let around: Scope | null = scope; around !== null; around = Object.getPrototypeOf(around) as Scope | null) {
    for (const [name, registration] of ownGuards(around) ?? []) if (!guards.has(name)) guards.set(name, registration)
  }
  return guards
}

/** Once requests come no guard can be registered any more. */
function resolvedGuards (scope: Scope): Map<string, Registration> {
  if (!Object.hasOwn(scope, RESOLVED)) scope[RESOLVED] = allGuards(scope)
  return scope[RESOLVED] as Map<string, Registration>
}

/** Whether the request is a CORS preflight. */
export function isPreflight ({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}

/**
 * Collects the routes below a scope that have a `config.gatehouse` or are guarded by default, and checks them when all
 * plugins are loaded: a typo, a wrong value or a guard that nobody registered stops the start.
 */
function watchRoutes (scope: Scope): void {
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

/**
 * A preflight carries no credentials, so that it passes all guards: for @fastify/cors, or for a route for OPTIONS alone, to answer. A handler that is there for
 * other methods as well would run unguarded for anyone who makes a request look like one.
 */
function refuseStrayPreflights (scope: Scope): void {
  scope.addHook('preParsing', function refuseStray (request, reply, payload, done) {
    if (!isPreflight(request) || isForOptionsAlone(request) || !isGuarded(request)) return done(null, payload)
    refuse(reply, new FORBIDDEN({ reason: 'a CORS preflight that neither @fastify/cors nor a route for OPTIONS alone has answered' }))
  })
}

function isForOptionsAlone ({ routeOptions: { method } }: FastifyRequest): boolean {
  return [method].flat().every((one) => one === 'OPTIONS')
}

function isGuarded (request: FastifyRequest): boolean {
  const config = (request.routeOptions.config.gatehouse ?? NOTHING) as Record<string, unknown>
  for (const [name, { fallback }] of resolvedGuards(request.server)) {
    const value = config[name] ?? fallback
    if (name !== 'audit' && value !== 'optional' && isOn(value)) return true
  }
  return false
}

function isOn (value: unknown): boolean {
  return value !== undefined && value !== false && value !== 'off'
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
