import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import type { Admin } from './admin.js'
import { assertAllowed, isAdminDemand, validateFields, validateStepUp } from './demand.js'
import type { AdminDemand } from './demand.js'
import { bearer, identifyKey, identifyUser, limitedKeyFinder, looksLikeApiKey } from './identify.js'
import { refusalCounter } from './refused-tokens.js'
import { createAdminTokens, TOKEN_OPTIONS } from '../../lib/admin-tokens/index.js'
import type { AccessClaims, AdminTokens, AdminTokensOptions } from '../../lib/admin-tokens/index.js'
import { publishAllowed } from '../../lib/channels.js'
import { INVALID_OPTIONS } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { lastUsesOf, warnOf } from '../../lib/last-uses.js'
import { assertWholeSeconds, refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import { refuse, toPublicError } from '../../lib/refuse.js'
import { traced } from '../../lib/trace.js'
import { ROLES } from '../../contracts/token-store/index.js'
import type { Role } from '../../contracts/token-store/index.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'
export type {} from '../../contracts/token-store/index.js'

export interface AdminGuardOptions extends AdminTokensOptions {
  /** Guards every route of this scope that does not set `admin: false`. Default: `false`. */
  global?: boolean
  /**
   * Maximum invalid access tokens and API keys per client address. Valid ones are not counted. Default: 100 per minute.
   */
  tokenRateLimit?: RateLimitOptions
  /**
   * How long a second factor counts as fresh on a route with `stepUp`, in milliseconds: whole seconds from 10 000 to
   * 3 600 000. Default: 300 000 (5 minutes).
   */
  stepUpAge?: number
}

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /**
     * Requires an administrator's access token; `roles` limits the roles, `fields` the properties that a role may send,
     * `stepUp` requires a fresh second factor. With `permission` the route also accepts an API key that has this
     * permission.
     */
    admin?: AdminDemand
  }

  interface FastifyInstance {
    /** Signs and verifies the tokens of administrators. */
    adminTokens: AdminTokens
  }

  interface FastifyRequest {
    /** The administrator or API key that sends the request; `null` on a route without the admin guard. */
    admin: Admin | null
  }
}

/** Minimum time between two stored uses of one API key, milliseconds. */
const KEY_USE_PRECISION = 60_000
const KNOWN: KnownOptions<AdminGuardOptions> = { ...TOKEN_OPTIONS, global: true, tokenRateLimit: true, stepUpAge: true }

/**
 * Guards routes by the access token of an administrator or by an API key, and by its role. Needs `app.tokenStore`.
 * Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(adminGuard, { jwtSecrets: [process.env.JWT_SECRET] })
 * app.get('/report', { config: { gatehouse: { admin: { roles: ['owner', 'admin'] } } } }, sendReport)
 */
const adminGuard: FastifyPluginAsync<AdminGuardOptions> = async (app, options) => {
  refuseUnknownOptions('adminGuard', options, KNOWN)
  const {
    global,
    tokenRateLimit = { max: 100, timeWindow: 60_000 },
    stepUpAge = 300_000,
    ...tokenOptions
  } = options
  const { now = Date.now } = tokenOptions
  assertWholeSeconds('admin-guard', 'stepUpAge', stepUpAge, 10_000, 3_600_000)
  if (Object.hasOwn(app, 'adminTokens')) {
    throw new INVALID_OPTIONS('admin-guard: the plugin is already registered in this scope; register it once')
  }
  const tokens = await createAdminTokens(app, tokenOptions)
  const countRefusal = await refusalCounter(app, tokenRateLimit)
  const { sessions, apiKeys } = app.tokenStore
  const finderFor = limitedKeyFinder(apiKeys)
  const keyUses = lastUsesOf(apiKeys, {
    store: (uses) => apiKeys.touch(uses.map(({ key, at }) => ({ id: key, at }))),
    precision: KEY_USE_PRECISION,
    onError: warnOf(app.log, 'admin-guard: the last use of API keys could not be stored')
  })
  app.decorate('adminTokens', tokens)
  if (!app.hasRequestDecorator('admin')) app.decorateRequest('admin', null)

  // RFC 9470, section 3.
  const challenge = `Bearer error="insufficient_user_authentication", max_age="${stepUpAge / 1000}"`

  const ruleFor = defineGuard(app, {
    name: 'admin',
    fallback: global === true ? true : undefined,
    accepts: isAdminDemand,
    expected: `a boolean or { roles } with some of ${ROLES.join(', ')}, { fields } with roles by field, { stepUp }, ` +
      'and { permission } such as "reports:read"',
    securityScheme: 'adminAccess'
  })

  app.addHook('onRequest', function checkAdmin (request, reply, done) {
    const demand = ruleFor(request)
    if (demand === undefined || demand === false) return done()
    traced({ kind: 'guard', name: 'admin', request }, () => checkCaller(request, reply, demand)).then((isAllowed) => {
      if (isAllowed) done()
    }, done)
  })

  /** Resolves with whether the request may pass. Responds to a refused request. */
  async function checkCaller (
    request: FastifyRequest,
    reply: FastifyReply,
    demand: Exclude<AdminDemand, false>
  ): Promise<boolean> {
    let claims: AccessClaims | null = null
    let credential: 'access' | 'api_key' = 'access'
    let admin: Admin
    try {
      const token = bearer(request.raw.rawHeaders)
      if (looksLikeApiKey(token)) {
        credential = 'api_key'
        admin = await identifyKey(token, finderFor(request))
        keyUses.note(admin.sub, now())
      } else {
        claims = tokens.verifyAccess(token)
        admin = await identifyUser(claims, sessions)
      }
      assertAllowed(admin, demand)
    } catch (error) {
      const refusal = await countRefusal(request, reply, toPublicError(error), { credential, owner: claims })
      // Required by RFC 6750, section 3.
      if (refusal.code.endsWith('_TOKEN')) reply.header('WWW-Authenticate', 'Bearer error="invalid_token"')
      refuse(reply, refusal, 'admin')
      return false
    }
    const refusal = validateStepUp(demand, admin, now() - stepUpAge)
    if (refusal !== null) {
      if (refusal.statusCode === 401) reply.header('WWW-Authenticate', challenge)
      refuse(reply, refusal, 'admin')
      return false
    }
    request.admin = admin
    return true
  }

  // Before validation, which adds defaults that the client did not send.
  app.addHook('preValidation', function checkFields (request, reply, done) {
    if (request.admin === null) return done()
    const demand = ruleFor(request)
    const refusal = demand === undefined ? null : validateFields(request, demand, request.admin.role)
    if (refusal !== null) {
      refuse(reply, refusal, 'admin')
      return
    }
    publishAllowed(request, 'admin')
    done()
  })

  app.addHook('onClose', () => keyUses.close())
}

/** Returns a role and all roles above it. */
export function atLeast (role: Role): readonly Role[] {
  return ROLES.slice(0, ROLES.indexOf(role) + 1)
}

/**
 * Repeats the guard's check for a long-lived response, and returns the current caller. Rejects with the error of the
 * guard if the token or key has expired or was revoked, or if the role is no longer sufficient. Only for a request that
 * the guard has accepted.
 */
export async function recheckAdmin (request: FastifyRequest): Promise<Admin> {
  const { adminTokens, tokenStore } = request.server
  const token = bearer(request.raw.rawHeaders)
  const admin = looksLikeApiKey(token)
    ? await identifyKey(token, (digest) => tokenStore.apiKeys.resolve(digest))
    : await identifyUser(adminTokens.verifyAccess(token), tokenStore.sessions)
  assertAllowed(admin, request.routeOptions.config.gatehouse?.admin ?? true)
  return admin
}

export default fp(adminGuard, {
  name: 'gatehouse-admin-guard',
  fastify: '5.x',
  decorators: { fastify: ['tokenStore'] }
})
export { isPermission } from './demand.js'
export type { Admin, ApiKeyAdmin, UserAdmin } from './admin.js'
export type { AdminDemand, AdminRoles } from './demand.js'
export type { AccessClaims, AdminTokens, AdminTokensOptions } from '../../lib/admin-tokens/index.js'
export type { Role } from '../../contracts/token-store/index.js'
export type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
