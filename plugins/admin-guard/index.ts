import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'

import { isAdminDemand, validateFields, validateStepUp } from './demand.js'
import type { AdminDemand } from './demand.js'
import { refusalCounter } from './refused-tokens.js'
import { createAdminTokens, TOKEN_OPTIONS } from '../../lib/admin-tokens/index.js'
import type { AccessClaims, AdminTokens, AdminTokensOptions } from '../../lib/admin-tokens/index.js'
import { FORBIDDEN, INVALID_OPTIONS, INVALID_TOKEN, UNAUTHORIZED } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { singleHeader } from '../../lib/http/single-header.js'
import { assertWholeSeconds, refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import { refuse, toPublicError } from '../../lib/refuse.js'
import { ROLES } from '../../contracts/token-store/index.js'
import type { Role, Sessions } from '../../contracts/token-store/index.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'
export type {} from '../../contracts/token-store/index.js'

export interface AdminGuardOptions extends AdminTokensOptions {
  /** Guards every route of this scope that does not set `admin: false`. Default: `false`. */
  global?: boolean
  /** Maximum invalid access tokens per client address. Valid tokens are not counted. Default: 100 per minute. */
  tokenRateLimit?: RateLimitOptions
  /**
   * How long a second factor counts as fresh on a route with `stepUp`, in milliseconds: whole seconds from 10 000 to
   * 3 600 000. Default: 300 000 (5 minutes).
   */
  stepUpAge?: number
}

/** The administrator who sends a request. */
export interface Admin {
  /** Id of the user. */
  readonly sub: string
  readonly org_id: string
  /** The current role, which may differ from the role at the time of the token's issue. */
  readonly role: Role
  readonly email: string
  /** Id of the session. */
  readonly sid: string
  /** When the administrator last proved a second factor in this session, epoch milliseconds; `null` for never. */
  readonly mfaAt: number | null
  /** Whether the administrator has a second factor. */
  readonly hasFactor: boolean
  /** Whether the organisation requires a second factor. */
  readonly mfaRequired: boolean
}

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /**
     * Requires an administrator's access token; `roles` limits the roles, `fields` the properties that a role may send,
     * `stepUp` requires a fresh second factor.
     */
    admin?: AdminDemand
  }

  interface FastifyInstance {
    /** Signs and verifies the tokens of administrators. */
    adminTokens: AdminTokens
  }

  interface FastifyRequest {
    /** The administrator who sends the request; `null` on a route without the admin guard. */
    admin: Admin | null
  }
}

const KNOWN: KnownOptions<AdminGuardOptions> = { ...TOKEN_OPTIONS, global: true, tokenRateLimit: true, stepUpAge: true }
const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i

/**
 * Guards routes by the access token of an administrator, and by the administrator's role. Needs `app.tokenStore`.
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
  const { sessions } = app.tokenStore
  app.decorate('adminTokens', tokens)
  if (!app.hasRequestDecorator('admin')) app.decorateRequest('admin', null)

  // RFC 9470, section 3.
  const challenge = `Bearer error="insufficient_user_authentication", max_age="${stepUpAge / 1000}"`

  const ruleFor = defineGuard(app, {
    name: 'admin',
    fallback: global === true ? true : undefined,
    accepts: isAdminDemand,
    expected: `a boolean or { roles } with some of ${ROLES.join(', ')}, { fields } with roles by field, and { stepUp }`,
    securityScheme: 'adminAccess'
  })

  app.addHook('onRequest', async function checkAdmin (request, reply) {
    const demand = ruleFor(request)
    if (demand === undefined || demand === false) return
    let claims: AccessClaims | null = null
    let admin: Admin
    try {
      claims = tokens.verifyAccess(bearer(request.raw.rawHeaders))
      admin = await authorizeAdmin(claims, demand, sessions)
    } catch (error) {
      const refusal = await countRefusal(request, reply, toPublicError(error), claims)
      // Required by RFC 6750, section 3.
      if (refusal.code.endsWith('_TOKEN')) reply.header('WWW-Authenticate', 'Bearer error="invalid_token"')
      return refuse(reply, refusal)
    }
    const refusal = validateStepUp(demand, admin, now() - stepUpAge)
    if (refusal !== null) {
      if (refusal.statusCode === 401) reply.header('WWW-Authenticate', challenge)
      return refuse(reply, refusal)
    }
    request.admin = admin
  })

  // Before validation, which adds defaults that the client did not send.
  app.addHook('preValidation', function checkFields (request, reply, done) {
    if (request.admin === null) return done()
    const demand = ruleFor(request)
    const refusal = demand === undefined ? null : validateFields(request, demand, request.admin.role)
    if (refusal === null) done()
    else refuse(reply, refusal)
  })
}

/** Returns a role and all roles above it. */
export function atLeast (role: Role): readonly Role[] {
  return ROLES.slice(0, ROLES.indexOf(role) + 1)
}

/**
 * Repeats the guard's check for a long-lived response, and returns the current administrator. Rejects with the error of
 * the guard if the token has expired or was revoked, or if the role is no longer sufficient. Only for a request that
 * the guard has accepted.
 */
export async function recheckAdmin (request: FastifyRequest): Promise<Admin> {
  const { adminTokens, tokenStore } = request.server
  const claims = adminTokens.verifyAccess(bearer(request.raw.rawHeaders))
  return authorizeAdmin(claims, request.routeOptions.config.gatehouse?.admin ?? true, tokenStore.sessions)
}

async function authorizeAdmin (claims: AccessClaims, demand: AdminDemand, sessions: Sessions): Promise<Admin> {
  const admin = await identify(claims, sessions)
  if (typeof demand === 'object' && !demand.roles.includes(admin.role)) {
    throw new FORBIDDEN({ reason: `role ${admin.role}` })
  }
  return admin
}

/** Returns the Bearer token. Throws `UNAUTHORIZED` for a missing, repeated or other Authorization header. */
function bearer (rawHeaders: readonly string[]): string {
  const header = singleHeader(rawHeaders, 'authorization')
  if (header === null) throw new UNAUTHORIZED({ reason: 'two Authorization headers' })
  if (header === undefined) throw new UNAUTHORIZED({ reason: 'no Authorization header' })
  const token = BEARER.exec(header)?.[1]
  if (token === undefined) throw new UNAUTHORIZED({ reason: 'not a Bearer token' })
  return token
}

async function identify (claims: AccessClaims, sessions: Sessions): Promise<Admin> {
  const access = await sessions.access(claims.sid)
  if (access === null) throw new INVALID_TOKEN({ reason: 'the session has ended' })
  const { userId, orgId, epoch, role, email, mfaAt, hasFactor, mfaRequired } = access
  if (userId !== claims.sub || orgId !== claims.org_id) {
    throw new INVALID_TOKEN({ reason: 'the token belongs to another user than the session' })
  }
  if (epoch !== claims.epoch) throw new INVALID_TOKEN({ reason: 'revoked' })
  return { sub: userId, org_id: orgId, role, email, sid: claims.sid, mfaAt, hasFactor, mfaRequired }
}

export default fp(adminGuard, {
  name: 'gatehouse-admin-guard',
  fastify: '5.x',
  decorators: { fastify: ['tokenStore'] }
})
export type { AdminDemand, AdminRoles } from './demand.js'
export type { AccessClaims, AdminTokens, AdminTokensOptions } from '../../lib/admin-tokens/index.js'
export type { Role } from '../../contracts/token-store/index.js'
export type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
