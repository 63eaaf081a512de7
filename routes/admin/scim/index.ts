import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'

import { FORBIDDEN, INVALID_OPTIONS } from '../../../lib/errors.js'
import { assertWholeNumber, refuseUnknownOptions } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import { refuse, useErrorFormat } from '../../../lib/refuse.js'
import { adminScope, callerKey, limitBy, SCOPE_OPTIONS } from '../admin-scope.js'
import type { AdminScopeOptions } from '../admin-scope.js'
import { discoveryRoutes } from './discovery.js'
import { formatScimError, SCIM_MEDIA_TYPE } from './errors.js'
import { groupRoutes } from './groups.js'
import { locator } from './resources.js'
import { settingsRoutes } from './settings.js'
import { userRoutes } from './users.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../auth/index.js'
export type {} from '../../../plugins/admin-guard/index.js'
export type {} from '../../../plugins/audit-log/index.js'
export type {} from '../../../plugins/token-store/index.js'

export interface ScimOptions extends AdminScopeOptions {
  /** Path prefix of the SCIM routes. Default: `/scim/v2`. */
  prefix?: string
  /** Path prefix of the routes with which owners set the roles of groups. Default: `/v1/admin`. */
  adminPrefix?: string
  /** Maximum requests per API key or user. Default: 3 000 per minute. */
  userRateLimit?: RateLimitOptions
  /** Maximum groups per organisation; creating more is 409 `CONFLICT`. Default: 10 000. */
  quota?: number
}

const KNOWN: KnownOptions<ScimOptions> = { ...SCOPE_OPTIONS, adminPrefix: true, userRateLimit: true, quota: true }

/** A request that names 5 000 members has some 20 000 properties and elements. */
const BODY = { mediaTypes: [SCIM_MEDIA_TYPE, 'application/json'], values: 40_000 }

/**
 * Registers the SCIM 2.0 routes (RFC 7643, RFC 7644) with which a directory such as Okta or Microsoft Entra ID creates,
 * changes, disables and removes the members of an organisation. The directory sends an API key of `adminKeys`. Throws
 * `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(scim, { jwtSecrets: [process.env.JWT_SECRET] })
 */
const scim: FastifyPluginAsync<ScimOptions> = async (app, options) => {
  refuseUnknownOptions('scim', options, KNOWN, { rateLimit: 'userRateLimit' })
  const {
    prefix = '/scim/v2',
    adminPrefix = '/v1/admin',
    userRateLimit = { max: 3_000, timeWindow: 60_000 },
    quota = 10_000,
    ...shared
  } = options
  assertWholeNumber('scim', 'quota', quota)
  if (typeof adminPrefix !== 'string' || !adminPrefix.startsWith('/')) {
    throw new INVALID_OPTIONS('scim: "adminPrefix" must start with a slash')
  }
  let basePath = prefix
  await adminScope(app, 'scim', { ...shared, prefix }, async (scope) => {
    basePath = scope.prefix
    useErrorFormat(scope, formatScimError)
    sendScimMediaType(scope)
    refuseUsers(scope)
    await limitBy(scope, 'scim', userRateLimit, callerKey)
    const locate = locator(scope.prefix)
    discoveryRoutes(scope, locate)
    userRoutes(scope, locate)
    groupRoutes(scope, locate, quota)
  }, BODY)
  await adminScope(app, 'scim-settings', { ...shared, prefix: adminPrefix }, async (scope) => {
    await limitBy(scope, 'scim-settings', userRateLimit, callerKey)
    settingsRoutes(scope, basePath)
  })
}

function sendScimMediaType (scope: FastifyInstance): void {
  scope.addHook('onRequest', function setMediaType (_request, reply, done) {
    reply.type(`${SCIM_MEDIA_TYPE}; charset=utf-8`)
    done()
  })
}

/** Refuses the sessions of users: a directory has a key of its own, which can be revoked. */
function refuseUsers (scope: FastifyInstance): void {
  scope.addHook('onRequest', function refuseUser (request, reply, done) {
    if (request.admin?.kind !== 'user') return done()
    refuse(reply, new FORBIDDEN({ message: 'SCIM needs an API key with the permission scim:manage', reason: 'a user' }))
  })
}

export default fp(scim, { name: 'gatehouse-scim', fastify: '5.x' })
export type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
export type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
export type { AdminGuardOptions, AdminTokensOptions } from '../../../plugins/admin-guard/index.js'
export type { AdminScopeOptions } from '../admin-scope.js'
