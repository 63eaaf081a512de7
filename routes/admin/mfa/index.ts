import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { requestNetwork } from '../../../lib/http/client-address.js'
import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { assertNonEmpty, refuseUnknownOptions } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import { adminScope, callerKey, limitBy, SCOPE_OPTIONS } from '../admin-scope.js'
import type { AdminScopeOptions } from '../admin-scope.js'
import { attemptCounter } from './attempts.js'
import { codeProver } from './codes.js'
import { factorRoutes } from './factor-routes.js'
import { loginEnrolmentRoutes } from './login-enrolment.js'
import { loginRoutes } from './login-routes.js'
import { mfaLogins } from './mfa-logins.js'
import { organisationRoutes } from './organisation.js'
import type { MfaParts } from './parts.js'
import { passkeyOptionsOf } from './passkey-options.js'
import type { PasskeyOptions } from './passkey-options.js'
import { createPasskeys } from './passkeys.js'
import { stepUpRoutes } from './step-up.js'
import { createTotp } from './totp.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../auth/index.js'

export interface AdminMfaOptions extends AdminScopeOptions {
  /** Path prefix of the routes. Default: `/v1/admin`. */
  prefix?: string
  /** Name of the service, as authenticator apps show it. Default: `'fastify-gatehouse'`. */
  appName?: string
  /** The domain and origins of passkeys. Default: none, without routes for passkeys. */
  passkeys?: PasskeyOptions
  /** Maximum requests per client address on the routes of the login. Default: 20 per minute. */
  loginRateLimit?: RateLimitOptions
  /** Maximum requests per user on the other routes. Default: 100 per minute. */
  userRateLimit?: RateLimitOptions
}

const KNOWN: KnownOptions<AdminMfaOptions> = {
  ...SCOPE_OPTIONS,
  appName: true,
  passkeys: true,
  loginRateLimit: true,
  userRateLimit: true
}
const MINUTE = 60_000

/**
 * Registers the routes of second factors: authenticator apps, recovery codes and passkeys, at login and for actions
 * that need a fresh proof, and the policy of the organisation. Needs `adminAuth` in the same scope. Throws
 * `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(adminAuth, { jwtSecrets: [process.env.JWT_SECRET] })
 * await app.register(adminMfa, { jwtSecrets: [process.env.JWT_SECRET], appName: 'Example' })
 */
const adminMfa: FastifyPluginAsync<AdminMfaOptions> = async (app, options) => {
  refuseUnknownOptions('adminMfa', options, KNOWN, { rateLimit: 'userRateLimit' })
  const {
    prefix = '/v1/admin',
    now = Date.now,
    appName = 'fastify-gatehouse',
    loginRateLimit = { max: 20, timeWindow: MINUTE },
    userRateLimit = { max: 100, timeWindow: MINUTE }
  } = options
  assertNonEmpty('admin-mfa', 'appName', appName)
  const relyingParty = options.passkeys === undefined ? null : passkeyOptionsOf(options.passkeys)
  const { adminLogins } = app
  if (adminLogins.secondFactor !== null) {
    throw new INVALID_OPTIONS('admin-mfa: the plugin is already registered in this scope; register it once')
  }
  const totp = await createTotp(appName)

  await adminScope(app, 'admin-mfa', { ...options, prefix }, async (scope) => {
    const passkeys = relyingParty === null ? null : await createPasskeys(scope, { ...relyingParty, now })
    const logins = mfaLogins(scope, now, passkeys !== null)
    const parts: MfaParts = {
      totp,
      passkeys,
      logins,
      proveCode: codeProver(scope.tokenStore.factors, totp, now),
      countAttempt: attemptCounter(scope, now),
      now
    }
    adminLogins.secondFactor = logins
    await scope.register(async (open) => {
      adminLogins.guardPages(open)
      await limitBy(open, 'mfa-login', loginRateLimit, requestNetwork)
      loginRoutes(open, parts)
      loginEnrolmentRoutes(open, parts)
    })
    await scope.register(async (guarded) => {
      await limitBy(guarded, 'mfa', userRateLimit, callerKey)
      factorRoutes(guarded, parts)
      stepUpRoutes(guarded, parts)
      organisationRoutes(guarded)
    })
  })
}

export default fp(adminMfa, {
  name: 'gatehouse-admin-mfa',
  fastify: '5.x',
  decorators: { fastify: ['adminLogins'] },
  dependencies: ['gatehouse-admin-auth']
})
export type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
export type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
export type { AdminGuardOptions, AdminTokensOptions } from '../../../plugins/admin-guard/index.js'
export type { AdminScopeOptions } from '../admin-scope.js'
export type { PasskeyOptions } from './passkey-options.js'
