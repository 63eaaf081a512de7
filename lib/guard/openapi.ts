import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'

import { securitySchemes } from '../../schemas/security-schemes.js'
import { INVALID_OPTIONS } from '../errors.js'
import { isOn, ruleOf } from './registry.js'
import type { Registration } from './registry.js'

type Security = ReadonlyArray<Record<string, readonly string[]>>
type DescribedSchema = FastifySchema & { security?: Security }

/** A route and the scope that it was declared in. */
export interface WatchedRoute { readonly scope: FastifyInstance, readonly options: RouteOptions }

/** Part of an OpenAPI 3 or Swagger 2 document. */
interface Document { components?: { securitySchemes?: object }, securityDefinitions?: object }

/** What the watchers of one app have in common. */
interface Watch { pending: number, routes: WatchedRoute[] }

const WATCH: unique symbol = Symbol.for('fastify-gatehouse.watch') as never

type Root = FastifyInstance & { [WATCH]?: Watch }

/** Adds the security schemes of the guards that apply to a route to a copy of its schema: routes and apps may share one schema object. */
export function describeSecurity (options: RouteOptions, guards: ReadonlyMap<string, Registration>): void {
  const schema: DescribedSchema = options.schema ?? {}
  if (options.method === 'OPTIONS' || schema.security !== undefined) return
  const config = options.config?.gatehouse as Record<string, unknown> | undefined
  const security: Record<string, readonly string[]> = {}
  for (const [name, registration] of guards) {
    const { securityScheme } = registration
    if (securityScheme !== undefined && isOn(ruleOf(name, registration, config))) security[securityScheme] = []
  }
  if (Object.keys(security).length > 0) options.schema = { ...schema, security: [security] } as DescribedSchema
}

/**
 * Returns what takes the routes of one watcher. When the last watcher of the app has given its routes, the documents of `@fastify/swagger` are
 * tried: it fails, without a useful message and for the whole document, on a security scheme that it does not know.
 *
 * The trial is a hook of a scope of its own, which runs after all `onReady` hooks of the scope around it, those of `@fastify/swagger` included.
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
  // Fastify's own instance has its methods, scopes inherit them.
  while (!Object.hasOwn(root, 'addHook')) root = Object.getPrototypeOf(root) as Root
  root[WATCH] ??= { pending: 0, routes: [] }
  return root[WATCH]
}

function checkDocuments (routes: readonly WatchedRoute[]): void {
  for (const swagger of new Set(routes.map(documentOf))) {
    if (typeof swagger === 'function') checkDocument(swagger, routes.filter((route) => documentOf(route) === swagger).map(({ options }) => options))
  }
}

/** The document that the route is in: `@fastify/swagger` decorates the scope of the route, or one around it, with the function that makes it. */
function documentOf ({ scope }: WatchedRoute): (() => Document) | undefined {
  return (scope as { swagger?: () => Document }).swagger
}

function checkDocument (swagger: () => Document, routes: readonly RouteOptions[]): void {
  if (attempt(swagger) !== null) return
  const schemas = routes.map(({ schema }) => schema)
  for (const route of routes) route.schema = withoutSecurity(route)
  const document = attempt(swagger)
  for (const [at, route] of routes.entries()) Object.assign(route, { schema: schemas[at] })
  // A document that fails for another reason is the host's concern.
  if (document === null) return
  const known = document.components?.securitySchemes ?? document.securityDefinitions ?? {}
  const named = routes.flatMap((route) => securityOf(route)?.flatMap((group) => Object.keys(group)) ?? [])
  const missing = [...new Set(named)].filter((name) => Object.hasOwn(securitySchemes, name) && !Object.hasOwn(known, name))
  if (missing.length === 0) return
  throw new INVALID_OPTIONS(
    `@fastify/swagger does not know the security ${missing.length === 1 ? 'scheme' : 'schemes'} ${missing.join(', ')} of guarded routes; ` +
    'register it with openapi: { components: { securitySchemes } }, where securitySchemes comes from "fastify-gatehouse/schemas"'
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
