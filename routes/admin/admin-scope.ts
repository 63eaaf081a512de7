import type { FastifyInstance, FastifyRequest } from 'fastify'

import adminGuard from '../../plugins/admin-guard/index.js'
import type { Admin, AdminGuardOptions, UserAdmin } from '../../plugins/admin-guard/index.js'
import { TOKEN_OPTIONS } from '../../lib/admin-tokens/index.js'
import auditLog from '../../plugins/audit-log/index.js'
import { requestNetwork } from '../../lib/http/client-address.js'
import { INTERNAL_ERROR, INVALID_OPTIONS } from '../../lib/errors.js'
import { hasGuard } from '../../lib/guard/index.js'
import { useJsonBody } from '../../lib/json/body.js'
import type { JsonBodyOptions } from '../../lib/json/body.js'
import type { KnownOptions } from '../../lib/options.js'
import { limitRate, named } from '../../lib/limits/rate-limit.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import { routeScope } from '../../lib/http/route-scope.js'
import type { SiteCorsOptions } from '../../lib/cors/site-cors.js'
import { sendRefreshCookies } from './refresh-cookie.js'
import tokenStore from '../../plugins/token-store/index.js'

/**
 * The options that the admin plugins share. With `jwtSecrets` a plugin registers its own admin guard; without, it uses
 * the admin guard that the host has registered.
 */
export interface AdminScopeOptions extends Partial<Omit<AdminGuardOptions, 'global'>> {
  /** Path prefix of the routes. */
  prefix?: string
  /** Sites whose pages may call the routes. Default: none, without CORS headers. */
  cors?: SiteCorsOptions
}

/** All names of `AdminScopeOptions`. */
export const SCOPE_OPTIONS: KnownOptions<AdminScopeOptions> = {
  ...TOKEN_OPTIONS,
  tokenRateLimit: true,
  stepUpAge: true,
  prefix: true,
  cors: true
}

/** Maximum bytes of a body, above the largest body that the schemas allow (in `admin-api` the mapping of a webhook). */
const BODY_LIMITS: Readonly<Record<string, number>> = {
  'admin-auth': 16_384,
  'admin-mfa': 32_768,
  'admin-keys': 16_384,
  'admin-users': 16_384,
  'admin-sso': 262_144,
  'admin-api': 65_536,
  scim: 1_048_576
}
const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE']

/**
 * Registers the inner scope of an admin plugin: strict JSON bodies, `Cache-Control: no-store`, the admin guard.
 * Throws `INVALID_OPTIONS`.
 */
export async function adminScope (
  app: FastifyInstance,
  plugin: string,
  options: AdminScopeOptions,
  define: (scope: FastifyInstance) => Promise<void>,
  body: JsonBodyOptions = {}
): Promise<void> {
  const { prefix, cors } = options
  if (prefix !== undefined && (typeof prefix !== 'string' || !prefix.startsWith('/'))) {
    throw new INVALID_OPTIONS(`${plugin}: "prefix" must start with a slash`)
  }
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  if (!app.hasDecorator('audit')) await app.register(auditLog, options.now === undefined ? {} : { now: options.now })
  await routeScope(app, { prefix, cors: cors && { methods: METHODS, ...cors } }, async (scope) => {
    scope.addHook('onRequest', function forbidCaching (_request, reply, done) {
      reply.header('Cache-Control', 'no-store')
      done()
    })
    sendRefreshCookies(scope)
    scope.addHook('onRoute', function limitBody (route) {
      route.bodyLimit ??= BODY_LIMITS[plugin] ?? 65_536
    })
    useJsonBody(scope, body)
    await useAdminGuard(scope, plugin, options)
    await define(scope)
  })
}

async function useAdminGuard (scope: FastifyInstance, plugin: string, options: AdminScopeOptions): Promise<void> {
  const { jwtSecrets, issuer, audience, accessTtl, refreshTtl, tokenRateLimit, stepUpAge, now } = options
  const given = { issuer, audience, accessTtl, refreshTtl, tokenRateLimit, stepUpAge, now }
  const entries = Object.entries(given).filter(([, value]) => value !== undefined)
  const tokenOptions = Object.fromEntries(entries)
  if (jwtSecrets !== undefined) {
    await scope.register(adminGuard, { jwtSecrets, ...tokenOptions })
    return
  }
  if (!hasGuard(scope, 'admin')) {
    throw new INVALID_OPTIONS(
      `${plugin}: "jwtSecrets" is missing, and no admin guard is registered before; ` +
        'set "jwtSecrets" or register adminGuard'
    )
  }
  const [misplaced] = Object.keys(tokenOptions).filter((name) => name !== 'now')
  if (misplaced !== undefined) {
    throw new INVALID_OPTIONS(
      `${plugin}: "${misplaced}" belongs to the admin guard that is registered before; set "${misplaced}" there`
    )
  }
}

/** Limits the requests per key. `name` separates the counts of several limits in one Redis. */
export async function limitBy (
  scope: FastifyInstance,
  name: string,
  options: RateLimitOptions,
  key: (request: FastifyRequest) => string,
  hook: 'onRequest' | 'preHandler' = 'onRequest'
): Promise<void> {
  if (options !== false) await limitRate(scope, named({ ...options, hook, keyGenerator: key }, name))
}

/**
 * Returns the administrator or API key that sends the request. Throws `INTERNAL_ERROR` on a route without the admin
 * guard.
 */
export function callerOf ({ admin }: FastifyRequest): Admin {
  if (admin === null) throw new INTERNAL_ERROR({ reason: 'the admin guard did not run on this route' })
  return admin
}

/** Returns the administrator who sends the request, on a route that refuses API keys. Else throws `INTERNAL_ERROR`. */
export function adminOf (request: FastifyRequest): UserAdmin {
  const admin = callerOf(request)
  if (admin.kind !== 'user') throw new INTERNAL_ERROR({ reason: 'the route has a permission but needs a user' })
  return admin
}

/** Returns the rate-limit key of a request: the id of the user or API key, else the client's network. */
export function callerKey (request: FastifyRequest): string {
  return request.admin?.sub ?? requestNetwork(request)
}
