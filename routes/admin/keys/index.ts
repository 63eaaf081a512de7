import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { assertWholeNumber, refuseUnknownOptions } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import { isPermission } from '../../../plugins/admin-guard/index.js'
import { PERMISSION_NAMES } from '../../../schemas/admin-keys.js'
import { adminScope, callerKey, limitBy, SCOPE_OPTIONS } from '../admin-scope.js'
import type { AdminScopeOptions } from '../admin-scope.js'
import { keyRoutes } from './routes.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../../plugins/admin-guard/index.js'
export type {} from '../../../plugins/audit-log/index.js'
export type {} from '../../../plugins/token-store/index.js'

export interface AdminKeysOptions extends AdminScopeOptions {
  /** Path prefix of the routes. Default: `/v1/admin`. */
  prefix?: string
  /** Maximum requests per user. Default: 100 per minute. */
  userRateLimit?: RateLimitOptions
  /** Maximum API keys per organisation that have not expired; creating more is 409 `CONFLICT`. Default: 100. */
  quota?: number
  /**
   * Permissions of the app's own routes, which declare them by `config.gatehouse.admin.permission`. Default: none,
   * only the permissions of `adminApi`.
   */
  permissions?: readonly string[]
}

const KNOWN: KnownOptions<AdminKeysOptions> = {
  ...SCOPE_OPTIONS,
  userRateLimit: true,
  quota: true,
  permissions: true
}

/**
 * Registers the routes with which administrators create, rotate and revoke API keys for programs. A key is accepted by
 * every admin guard on the same token store. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(adminKeys, { jwtSecrets: [process.env.JWT_SECRET] })
 */
const adminKeys: FastifyPluginAsync<AdminKeysOptions> = async (app, options) => {
  refuseUnknownOptions('adminKeys', options, KNOWN, { rateLimit: 'userRateLimit' })
  const {
    prefix = '/v1/admin',
    now = Date.now,
    userRateLimit = { max: 100, timeWindow: 60_000 },
    quota = 100,
    permissions = []
  } = options
  assertWholeNumber('admin-keys', 'quota', quota)
  if (!Array.isArray(permissions) || !permissions.every(isPermission)) {
    throw new INVALID_OPTIONS('admin-keys: "permissions" must be a list of names such as "reports:read"')
  }
  await adminScope(app, 'admin-keys', { ...options, prefix }, async (scope) => {
    await limitBy(scope, 'keys', userRateLimit, callerKey)
    keyRoutes(scope, { now, quota, permissions: [...new Set([...PERMISSION_NAMES, ...permissions])] })
  })
}

export default fp(adminKeys, { name: 'gatehouse-admin-keys', fastify: '5.x' })
export type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
export type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
export type { AdminGuardOptions, AdminTokensOptions } from '../../../plugins/admin-guard/index.js'
export type { AdminScopeOptions } from '../admin-scope.js'
