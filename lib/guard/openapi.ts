import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'

import { securitySchemes } from '../../schemas/security-schemes.js'
import { INVALID_OPTIONS } from '../errors.js'
import { isOn, ruleOf } from './registry.js'
import type { Registration } from './registry.js'

type Security = ReadonlyArray<Record<string, readonly string[]>>
type DescribedSchema = FastifySchema & { security?: Security }

/** A route and the scope that declares it. */
export interface WatchedRoute {
  readonly scope: FastifyInstance
  readonly options: RouteOptions
}

/** Part of an OpenAPI 3 or Swagger 2 document. */
interface Document {
  components?: { securitySchemes?: object }
  securityDefinitions?: object
}

/** State that all watchers of one app share. */
interface Watch {
  pending: number
  routes: WatchedRoute[]
}

const WATCH: unique symbol = Symbol.for('fastify-gatehouse.watch') as never

type Root = FastifyInstance & { [WATCH]?: Watch }

/**
 * Adds the security schemes of a route's guards to a copy of its schema, because several routes may share one schema
 * object. Several optional guards are alternatives; one alone is described like a required guard.
 */
export function describeSecurity (options: RouteOptions, guards: ReadonlyMap<string, Registration>): void {
  const schema: DescribedSchema = options.schema ?? {}
  if (options.method === 'OPTIONS' || schema.security !== undefined) return
  const config = options.config?.gatehouse as Record<string, unknown> | undefined
  const required: Record<string, readonly string[]> = {}
  const optional: string[] = []
  for (const [name, registration] of guards) {
    const { securityScheme } = registration
    const rule = ruleOf(name, registration, config)
    if (securityScheme === undefined || !isOn(rule)) continue
    if (rule === 'optional') optional.push(securityScheme)
    else required[securityScheme] = []
  }
  const security = optional.length === 0
    ? [required]
    : optional.map((scheme) => ({ ...required, [scheme]: [] }))
  if (Object.keys(security[0] ?? {}).length > 0) options.schema = { ...schema, security } as DescribedSchema
}

/**
 * Returns a function that collects the routes of one watcher. After the last watcher of the app, the documents of
 * `@fastify/swagger` are generated once as a check: it fails without a useful message on an unknown security scheme.
 *
 * The check is an `onReady` hook of a separate scope, so that it runs after all `onReady` hooks of the parent scope.
 */
export function documentCheck (scope: FastifyInstance): (routes: readonly WatchedRoute[]) => void {
  const watch = watchOf(scope)
  watch.pending++
  scope.register(async function gatehouseDocumentCheck (late) {
    late.addHook('onReady', async function tryDocuments () {
      if (--watch.pending === 0) checkDocuments(watch.routes.splice(0))
    })
  })
  return (routes) => watch.routes.push(...routes.filter(({ options }) => securityOf(options) !== undefined))
}

function watchOf (scope: FastifyInstance): Watch {
  let root: Root = scope
  // Only Fastify's root instance has its own methods; child scopes inherit them.
  while (!Object.hasOwn(root, 'addHook')) root = Object.getPrototypeOf(root) as Root
  root[WATCH] ??= { pending: 0, routes: [] }
  return root[WATCH]
}

function checkDocuments (routes: readonly WatchedRoute[]): void {
  for (const swagger of new Set(routes.map(documentOf))) {
    if (typeof swagger === 'function') {
      checkDocument(
        swagger,
        routes.filter((route) => documentOf(route) === swagger).map(({ options }) => options)
      )
    }
  }
}

/** Returns the document of a route: `@fastify/swagger` decorates the route's scope or a parent with its generator. */
function documentOf ({ scope }: WatchedRoute): (() => Document) | undefined {
  return (scope as { swagger?: () => Document }).swagger
}

function checkDocument (swagger: () => Document, routes: readonly RouteOptions[]): void {
  if (attempt(swagger) !== null) return
  const schemas = routes.map(({ schema }) => schema)
  for (const route of routes) route.schema = withoutSecurity(route)
  const document = attempt(swagger)
  for (const [at, route] of routes.entries()) Object.assign(route, { schema: schemas[at] })
  // If the document fails for another reason, the host must fix it.
  if (document === null) return
  const known = document.components?.securitySchemes ?? document.securityDefinitions ?? {}
  const named = routes.flatMap((route) => securityOf(route)?.flatMap((group) => Object.keys(group)) ?? [])
  const missing = [...new Set(named)].filter((name) =>
    Object.hasOwn(securitySchemes, name) && !Object.hasOwn(known, name)
  )
  if (missing.length === 0) return
  throw new INVALID_OPTIONS(
    `@fastify/swagger does not know the security ${missing.length === 1 ? 'scheme' : 'schemes'} ${
      missing.join(', ')
    } of guarded routes; ` +
      'register it with openapi: { components: { securitySchemes } }, where securitySchemes comes from ' +
        '"fastify-gatehouse/schemas"'
  )
}

function withoutSecurity ({ schema }: RouteOptions): FastifySchema {
  const { security: _security, ...rest } = schema as DescribedSchema
  return rest
}

function attempt (swagger: () => Document): Document | null {
  try {
    return swagger()
  } catch {
    return null
  }
}

function securityOf ({ schema }: RouteOptions): Security | undefined {
  return (schema as DescribedSchema | undefined)?.security
}
