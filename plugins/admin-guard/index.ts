import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'

import { fieldRefusal, isAdminDemand } from './demand.js'
import type { AdminDemand } from './demand.js'
import { refusalCounter } from './refused-tokens.js'
import { createAdminTokens, TOKEN_OPTIONS } from '../../lib/admin-tokens/index.js'
import type { AccessClaims, AdminTokens, AdminTokensOptions } from '../../lib/admin-tokens/index.js'
import { FORBIDDEN, INVALID_OPTIONS, INVALID_TOKEN, UNAUTHORIZED } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { singleHeader } from '../../lib/http/single-header.js'
import { refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import { refuse, toPublicError } from '../../lib/refuse.js'
import { ROLES } from '../../contracts/token-store/index.js'
import type { Role, Sessions } from '../../contracts/token-store/index.js'

// An importer of this module alone also gets the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'
export type {} from '../../contracts/token-store/index.js'

export interface AdminGuardOptions extends AdminTokensOptions {
  /** Guard every route of this scope that does not say `admin: false`. Default: `false`. */
  global?: boolean
  /** How many wrong access tokens a client address may send; valid ones are not limited by it. Default: 100 a minute. */
  tokenRateLimit?: RateLimitOptions
}

/** The administrator who calls. */
export interface Admin {
  /** The user's id. */
  readonly sub: string
  readonly org_id: string
  /** As it is now, not as it was when the token was issued. */
  readonly role: Role
  readonly email: string
  /** The session's id. */
  readonly sid: string
}

declare module 'fastify' {
  interface GatehouseRouteConfig {
    /** Demand an access token of an administrator; `roles`: those that may call, `fields`: the members that not all of them may send. */
    admin?: AdminDemand
  }

  interface FastifyInstance {
    /** Signs and verifies the tokens of administrators. */
    adminTokens: AdminTokens
  }

  interface FastifyRequest {
    /** Set by the admin guard, `null` on a route that it does not guard. */
    admin: Admin | null
  }
}

const KNOWN: KnownOptions<AdminGuardOptions> = { ...TOKEN_OPTIONS, global: true, tokenRateLimit: true }
const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i

const adminGuard: FastifyPluginAsync<AdminGuardOptions> = async (app, options) => {
  refuseUnknownOptions('adminGuard', options, KNOWN)
  const { global, tokenRateLimit = { max: 100, timeWindow: 60_000 }, ...tokenOptions } = options
  if (Object.hasOwn(app, 'adminTokens')) throw new INVALID_OPTIONS('admin-guard: already registered in this scope')
  const tokens = await createAdminTokens(app, tokenOptions)
  const countRefusal = await refusalCounter(app, tokenRateLimit)
  const { sessions } = app.tokenStore
  app.decorate('adminTokens', tokens)
  if (!app.hasRequestDecorator('admin')) app.decorateRequest('admin', null)

  const ruleFor = defineGuard(app, {
    name: 'admin',
    fallback: global === true ? true : undefined,
    accepts: isAdminDemand,
    expected: `a boolean or { roles } with some of ${ROLES.join(', ')}, and { fields } with roles by field`,
    securityScheme: 'adminAccess'
  })

  app.addHook('onRequest', async function checkAdmin (request, reply) {
    const demand = ruleFor(request)
    if (demand === undefined || demand === false) return
    let claims: AccessClaims | null = null
    try {
      claims = tokens.verifyAccess(bearer(request.raw.rawHeaders))
      request.admin = await admit(claims, demand, sessions)
    } catch (error) {
      const refusal = await countRefusal(request, reply, toPublicError(error), claims)
      // RFC 6750, section 3: which of the two, the client may learn.
      if (refusal.code.endsWith('_TOKEN')) reply.header('WWW-Authenticate', 'Bearer error="invalid_token"')
      return refuse(reply, refusal)
    }
  })

  // Before the schema of the route fills in defaults, which the caller did not send.
  app.addHook('preValidation', function checkFields (request, reply, done) {
    if (request.admin === null) return done()
    const demand = ruleFor(request)
    const refusal = demand === undefined ? null : fieldRefusal(request, demand, request.admin.role)
    if (refusal === null) done()
    else refuse(reply, refusal)
  })
}

/** The roles of at least this rank. */
export function atLeast (role: Role): readonly Role[] {
  return ROLES.slice(0, ROLES.indexOf(role) + 1)
}

/**
 * Who calls by now, for an answer that outlasts the guard's look: rejects as the guard would refuse, once the token has expired or
 * was revoked or the role may no more. Only for a request that the guard has let in.
 */
export async function recheckAdmin (request: FastifyRequest): Promise<Admin> {
  const { adminTokens, tokenStore } = request.server
  const claims = adminTokens.verifyAccess(bearer(request.raw.rawHeaders))
  return admit(claims, request.routeOptions.config.gatehouse?.admin ?? true, tokenStore.sessions)
}

async function admit (claims: AccessClaims, demand: AdminDemand, sessions: Sessions): Promise<Admin> {
  const admin = await identify(claims, sessions)
  if (typeof demand === 'object' && !demand.roles.includes(admin.role)) throw new FORBIDDEN({ reason: `role ${admin.role}` })
  return admin
}

/** The one Bearer token. */
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
  if (access === null) throw new INVALID_TOKEN({ reason: 'session is over' })
  const { userId, orgId, epoch, role, email } = access
  if (userId !== claims.sub || orgId !== claims.org_id) throw new INVALID_TOKEN({ reason: 'not the user of the session' })
  if (epoch !== claims.epoch) throw new INVALID_TOKEN({ reason: 'revoked' })
  return { sub: userId, org_id: orgId, role, email, sid: claims.sid }
}

export default fp(adminGuard, { name: 'gatehouse-admin-guard', fastify: '5.x', decorators: { fastify: ['tokenStore'] } })
export type { AdminDemand, AdminRoles } from './demand.js'
export type { AccessClaims, AdminTokens, AdminTokensOptions } from '../../lib/admin-tokens/index.js'
export type { Role } from '../../contracts/token-store/index.js'
export type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
