import type { FastifyInstance, FastifyRequest } from 'fastify'

import adminGuard from '../../plugins/admin-guard/index.js'
import type { Admin, AdminGuardOptions } from '../../plugins/admin-guard/index.js'
import { TOKEN_OPTIONS } from '../../lib/admin-tokens/index.js'
import auditLog from '../../plugins/audit-log/index.js'
import { requestNetwork } from '../../lib/http/client-address.js'
import { INTERNAL_ERROR, INVALID_OPTIONS } from '../../lib/errors.js'
import { hasGuard } from '../../lib/guard/index.js'
import { useJsonBody } from '../../lib/json/body.js'
import type { KnownOptions } from '../../lib/options.js'
import { limitRate, named } from '../../lib/limits/rate-limit.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import { routeScope } from '../../lib/http/route-scope.js'
import type { SiteCorsOptions } from '../../lib/cors/site-cors.js'
import tokenStore from '../../plugins/token-store/index.js'

/** How a plugin of admin routes knows its callers: by a guard of its own, or, without `jwtSecrets`, by the host's. */
export interface AdminScopeOptions extends Partial<Omit<AdminGuardOptions, 'global'>> {
  /** Where the routes are mounted. */
  prefix?: string
  /** Which sites' pages may call. Default: none, no CORS at all. */
  cors?: SiteCorsOptions
}

/** Every name of `AdminScopeOptions`. */
export const SCOPE_OPTIONS: KnownOptions<AdminScopeOptions> = { ...TOKEN_OPTIONS, tokenRateLimit: true, prefix: true, cors: true }

/** The longest body that the schemas of a plugin allow fits, bytes: for `admin-api` it is the mapping of a webhook. */
const BODY_LIMITS: Readonly<Record<string, number>> = { 'admin-auth': 16_384, 'admin-api': 65_536 }
const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE']

/** The inner scope of a plugin of admin routes: strict JSON bodies, replies that nobody may keep, the admin guard. */
export async function adminScope (
  app: FastifyInstance, plugin: string, options: AdminScopeOptions, define: (scope: FastifyInstance) => Promise<void>
): Promise<void> {
  const { prefix, cors } = options
  if (prefix !== undefined && (typeof prefix !== 'string' || !prefix.startsWith('/'))) throw new INVALID_OPTIONS(`${plugin}: "prefix" must start with a slash`)
  if (!app.hasDecorator('tokenStore')) await app.register(tokenStore)
  if (!app.hasDecorator('audit')) await app.register(auditLog, options.now === undefined ? {} : { now: options.now })
  await routeScope(app, { prefix, cors: cors && { methods: METHODS, ...cors } }, async (scope) => {
    scope.addHook('onRequest', function forbidKeeping (_request, reply, done) {
      reply.header('Cache-Control', 'no-store')
      done()
    })
    scope.addHook('onRoute', function limitBody (route) {
      route.bodyLimit ??= BODY_LIMITS[plugin] ?? 65_536
    })
    useJsonBody(scope)
    await useAdminGuard(scope, plugin, options)
    await define(scope)
  })
}

async function useAdminGuard (scope: FastifyInstance, plugin: string, options: AdminScopeOptions): Promise<void> {
  const { jwtSecrets, issuer, audience, accessTtl, refreshTtl, tokenRateLimit, now } = options
  const given = Object.entries({ issuer, audience, accessTtl, refreshTtl, tokenRateLimit, now }).filter(([, value]) => value !== undefined)
  const tokenOptions = Object.fromEntries(given)
  if (jwtSecrets !== undefined) {
    await scope.register(adminGuard, { jwtSecrets, ...tokenOptions })
    return
  }
  if (!hasGuard(scope, 'admin')) throw new INVALID_OPTIONS(`${plugin}: "jwtSecrets" is missing, and no admin guard is registered before`)
  const [misplaced] = Object.keys(tokenOptions).filter((name) => name !== 'now')
  if (misplaced !== undefined) throw new INVALID_OPTIONS(`${plugin}: "${misplaced}" belongs to the admin guard that is registered before`)
}

/** Limits the requests of each key; `name` keeps the counts of several limits in one Redis apart. */
export async function limitBy (
  scope: FastifyInstance, name: string, options: RateLimitOptions, key: (request: FastifyRequest) => string, hook: 'onRequest' | 'preHandler' = 'onRequest'
): Promise<void> {
  if (options !== false) await limitRate(scope, named({ ...options, hook, keyGenerator: key }, name))
}

/** Who calls, on a route that the admin guard guards. */
export function adminOf ({ admin }: FastifyRequest): Admin {
  if (admin === null) throw new INTERNAL_ERROR({ reason: 'the admin guard did not run on this route' })
  return admin
}

/** The key of a caller for the rate limit. */
export function callerKey (request: FastifyRequest): string {
  return request.admin?.sub ?? requestNetwork(request)
}
