import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import { requestNetwork } from '../../../lib/http/client-address.js'
import { ACCOUNT_LOCKED, INVALID_CREDENTIALS, INVALID_OPTIONS } from '../../../lib/errors.js'
import { assertBoolean, assertWholeSeconds, refuseUnknownOptions } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import { createPasswords } from '../../../lib/passwords/index.js'
import type { PasswordOptions, Passwords } from '../../../lib/passwords/index.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import type { AdminTokens } from '../../../lib/admin-tokens/index.js'
import type { User } from '../../../contracts/token-store/index.js'
import { loginSchema } from '../../../schemas/admin-auth.js'
import type { LoginBody } from '../../../schemas/admin-auth.js'
import { hmacSha256 } from '../../../signing/digest.js'
import { secretBox } from '../../../signing/secret-box.js'
import type { SecretBox } from '../../../signing/secret-box.js'
import { assertStrongSecret } from '../../../signing/secret-strength/index.js'
import { adminScope, callerKey, limitBy, SCOPE_OPTIONS } from '../admin-scope.js'
import type { AdminScopeOptions } from '../admin-scope.js'
import { knownDevices } from './known-devices.js'
import type { KnownDevices } from './known-devices.js'
import { logoutRoute } from './logout.js'
import { lockoutOf, passwordCheck } from './password-check.js'
import type { LockoutOptions, PasswordCheck } from './password-check.js'
import { newPasswordCheck } from './new-password.js'
import type { NewPasswordCheck } from './new-password.js'
import { organisationRoutes } from './organisations.js'
import { passwordRoute } from './password.js'
import { refreshHandler, refreshKey } from './refresh.js'
import { loginContinuation } from './second-factor.js'
import type { ContinueLogin, SecondFactor } from './second-factor.js'
import { ssoLoginPolicy } from './sso-login-policy.js'
import type { ConfiguredDomains, SsoLoginPolicy } from './sso-login-policy.js'
import { sessionRoutes } from './sessions.js'
import { tokenDelivery } from './token-delivery.js'
import { sessionStarter } from './token-pairs.js'
import type { SsoCheck, StartSession } from './token-pairs.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../../plugins/admin-guard/index.js'
export type {} from '../../../plugins/audit-log/index.js'
export type {} from '../../../plugins/token-store/index.js'

export { createPasswords }
export type { LockoutOptions, PasswordOptions, Passwords }

/** The parts of `adminAuth` that the plugins for users and second factors use. */
export interface AdminLogins {
  readonly passwords: Passwords
  /** Checks a password; counts failures and locks accounts. */
  readonly checkPassword: PasswordCheck
  /** Checks a new password by the rules and, with `breachCheck`, against lists of breached passwords. */
  readonly checkNewPassword: NewPasswordCheck
  readonly startSession: StartSession
  /** Continues a login after the first factor: with a session, or with the request for the second factor. */
  readonly continueLogin: ContinueLogin
  /** Counts the failed logins of the browser separately from now on. */
  readonly rememberDevice: (request: FastifyRequest, reply: FastifyReply, user: User) => void
  /** Refuses pages of other sites on the routes of a scope that start sessions, if refresh tokens are in a cookie. */
  readonly guardPages: (scope: FastifyInstance) => void
  /** Deletes the cookie of the refresh token, if refresh tokens are in a cookie. */
  readonly forgetRefreshToken: (request: FastifyRequest) => void
  /** Throws `FORBIDDEN` if an identity provider manages the email of a user. */
  readonly checkEmailChange: SsoLoginPolicy['checkEmailChange']
  readonly lockout: Required<LockoutOptions>
  /** Asks for second factors; `null` without `adminMfa`. */
  secondFactor: SecondFactor | null
  /** Finds email domains that the host has configured; `null` without single sign-on. */
  configuredDomains: ConfiguredDomains | null
  /** Checks again that a login at an identity provider is valid; `null` without single sign-on. */
  isSsoValid: SsoCheck | null
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Checks passwords and starts sessions of administrators. Decorated by `adminAuth`. */
    adminLogins: AdminLogins
  }
}

export interface AdminAuthOptions extends AdminScopeOptions {
  /** Path prefix of the routes. Default: `/v1/admin/auth`. */
  prefix?: string
  /**
   * Maximum lifetime of a session, in milliseconds, 3 600 000 (1 hour) or more, so that 30 days in seconds are refused.
   * A refresh does not extend it. Default: 2 592 000 000 (30 days).
   */
  sessionMaxAge?: number
  /**
   * Time after which a session ends that is not refreshed, in milliseconds, from `accessTtl` to 2 592 000 000. Default:
   * `refreshTtl`, 604 800 000 (7 days).
   */
  sessionIdleMax?: number
  /**
   * Time in which a client may repeat a used refresh token and gets the same response, in milliseconds: 0, or 1 000 to
   * 30 000. Default: 0.
   */
  reuseGrace?: number
  /**
   * Keeps the refresh token in an HttpOnly, Secure, SameSite=Strict cookie of the `prefix`, and out of the JSON. Only
   * pages of this server, and of the same site if `cors.origins` names them, may then log in, refresh and log out.
   * `'on-request'` does so for requests with the header `X-Token-Delivery: cookie`, and only these may repeat a refresh
   * token within `reuseGrace`. Default: `false`.
   */
  cookie?: boolean | 'on-request'
  /**
   * Keys that encrypt the stored response during `reuseGrace`, `[current, …previous]`; the same on all instances.
   * Required with `reuseGrace`.
   */
  secretsKeys?: readonly string[]
  /**
   * Locks an account after too many failed logins. `'hidden'` responds for a locked account as for a wrong password.
   * Default: 5 failures, 15 minutes.
   */
  lockout?: LockoutOptions | 'hidden'
  /** Maximum logins per email and, counted separately, per client address. Default: 10 per minute. */
  loginRateLimit?: RateLimitOptions
  /** Maximum requests per user on the other routes, including refresh. Default: 100 per minute. */
  userRateLimit?: RateLimitOptions
  /**
   * Parameters of the password hash, or a hasher from `createPasswords`. Default: argon2id, 19 MiB, 2 passes, 1 lane.
   */
  passwords?: PasswordOptions | Passwords
}

const KNOWN: KnownOptions<AdminAuthOptions> = {
  ...SCOPE_OPTIONS,
  sessionMaxAge: true,
  sessionIdleMax: true,
  reuseGrace: true,
  cookie: true,
  secretsKeys: true,
  lockout: true,
  loginRateLimit: true,
  userRateLimit: true,
  passwords: true
}
const MINUTE = 60_000
const DAY = 86_400_000

/**
 * Registers the authentication routes of administrators: login, refresh with rotation, logout, sessions and password
 * change. Throws `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(adminAuth, { jwtSecrets: [process.env.JWT_SECRET] })
 */
const adminAuth: FastifyPluginAsync<AdminAuthOptions> = async (app, options) => {
  refuseUnknownOptions('adminAuth', options, KNOWN, { rateLimit: 'userRateLimit' })
  const {
    prefix = '/v1/admin/auth',
    now = Date.now,
    loginRateLimit = { max: 10, timeWindow: MINUTE },
    userRateLimit = { max: 100, timeWindow: MINUTE }
  } = options
  const { sessionMaxAge: maxAge = 2_592_000_000, reuseGrace: grace = 0, cookie = false } = options
  assertWholeSeconds('admin-auth', 'sessionMaxAge', maxAge, 60 * MINUTE, 31_536_000_000)
  assertGrace(grace)
  if (cookie !== 'on-request') assertBoolean('admin-auth', 'cookie', cookie)
  const box = graceBox(grace, options.secretsKeys)
  const lockout = lockoutOf(options.lockout)
  const passwords = isHasher(options.passwords) ? options.passwords : await createPasswords(options.passwords)

  await adminScope(app, 'admin-auth', { ...options, prefix }, async (scope) => {
    const check = passwordCheck(scope, { passwords, lockout, now })
    const checkNew = newPasswordCheck(passwords)
    const { refreshTtl } = scope.adminTokens
    const origins = options.cors?.origins ?? []
    const delivery = tokenDelivery(cookie, { path: scope.prefix, origins, refreshTtl, now })
    const policy = ssoLoginPolicy(scope.tokenStore, () => app.adminLogins.configuredDomains)
    const ssoCheck = () => app.adminLogins.isSsoValid
    const start = sessionStarter(scope, { maxAge, delivery, policy, ssoCheck, now })
    const idleMax = idleMaxOf(options.sessionIdleMax, scope.adminTokens)
    const devices = lockout.knownDevices ? knownDevices(scope, { path: `${scope.prefix}/login`, now }) : null
    const rememberDevice: AdminLogins['rememberDevice'] = (request, reply, user) =>
      devices?.remember(request, reply, user)
    const continueLogin = loginContinuation(scope, {
      start,
      rememberDevice,
      secondFactor: () => app.adminLogins.secondFactor,
      policy
    })
    if (!Object.hasOwn(app, 'adminLogins')) {
      app.decorate('adminLogins', {
        passwords,
        checkPassword: check,
        checkNewPassword: checkNew,
        startSession: start,
        continueLogin,
        rememberDevice,
        guardPages: (other) => delivery.guardPages(other),
        forgetRefreshToken: (request) => delivery.forget(request),
        checkEmailChange: policy.checkEmailChange,
        lockout,
        secondFactor: null,
        configuredDomains: null,
        isSsoValid: null
      })
    }
    await scope.register(async (login) => {
      delivery.guardPages(login)
      await limitBy(login, 'login-address', loginRateLimit, requestNetwork)
      const [emailKey] = login.adminTokens.keysFor('emails')
      const emailOf = (request: FastifyRequest) =>
        hmacSha256(emailKey, (request.body as LoginBody).email.toLowerCase(), 'hex')
      await limitBy(login, 'login-email', loginRateLimit, emailOf, 'preHandler')
      loginRoute(login, { passwords, check, devices, policy, continueLogin })
    })
    await scope.register(async (open) => {
      delivery.guardPages(open)
      await limitBy(open, 'refresh', userRateLimit, refreshKey(open, delivery), 'preHandler')
      const config = { gatehouse: { admin: false } }
      open.post(
        '/refresh',
        { schema: delivery.refreshSchema, config, ...delivery.routeOptions },
        refreshHandler(open, { grace, box, idleMax, delivery })
      )
      logoutRoute(open, delivery)
    })
    await scope.register(async (guarded) => {
      await limitBy(guarded, 'auth', userRateLimit, callerKey)
      sessionRoutes(guarded, { idleMax, delivery, now })
      organisationRoutes(guarded, start)
      passwordRoute(guarded, { passwords, check, checkNew })
    })
  })
}

interface LoginParts {
  passwords: Passwords
  check: PasswordCheck
  devices: KnownDevices | null
  policy: SsoLoginPolicy
  continueLogin: ContinueLogin
}

function loginRoute (scope: FastifyInstance, { passwords, check, devices, policy, continueLogin }: LoginParts): void {
  scope.post<{ Body: LoginBody }>(
    '/login',
    { schema: loginSchema, config: { gatehouse: { admin: false } } },
    async function login (request, reply) {
      const { email, password, org_id: orgId } = request.body
      const user = await check(request, email, password, function deviceOf (user) {
        const id = devices?.idOf(request, user) ?? null
        return id === null ? null : `device.${id}`
      }, orgId).catch(async (error: unknown) => {
        const isRefusal = error instanceof INVALID_CREDENTIALS || error instanceof ACCOUNT_LOCKED
        throw isRefusal ? await policy.refusalOf(email, orgId) ?? error : error
      })
      return continueLogin(request, reply, user, {
        isStillValid: async ({ passwordHash }) =>
          passwordHash === user.passwordHash || passwords.verify(passwordHash, password)
      })
    }
  )
}

/** An access token works for up to `accessTtl` after a refresh, so a shorter limit could not be kept. */
function idleMaxOf (option: number | undefined, { accessTtl, refreshTtl }: AdminTokens): number {
  const idleMax = option ?? refreshTtl
  assertWholeSeconds('admin-auth', 'sessionIdleMax', idleMax, Math.min(accessTtl, refreshTtl), 30 * DAY)
  return idleMax
}

function assertGrace (grace: number): void {
  if (grace === 0 || (Number.isSafeInteger(grace) && grace >= 1_000 && grace <= 30_000)) return
  throw new INVALID_OPTIONS(`admin-auth: "reuseGrace" must be 0, or 1000 to 30000 milliseconds; got ${String(grace)}`)
}

function graceBox (grace: number, keys: readonly string[] | undefined): SecretBox | null {
  if (grace === 0) return null
  if (keys === undefined || keys.length === 0) {
    throw new INVALID_OPTIONS(
      'admin-auth: "reuseGrace" needs "secretsKeys"; create a key with `npx fastify-gatehouse generate-key`'
    )
  }
  try {
    keys.forEach((key, index) => assertStrongSecret(`secretsKeys[${index}]`, key))
  } catch (error) {
    throw new INVALID_OPTIONS(`admin-auth: ${(error as Error).message}`)
  }
  return secretBox(keys)
}

function isHasher (passwords: PasswordOptions | Passwords | undefined): passwords is Passwords {
  return passwords !== undefined && 'verify' in passwords
}

export default fp(adminAuth, { name: 'gatehouse-admin-auth', fastify: '5.x' })
export type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
export type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
export type { AdminGuardOptions, AdminTokensOptions } from '../../../plugins/admin-guard/index.js'
export type { AdminScopeOptions } from '../admin-scope.js'
export type { ContinueLogin, SecondFactor } from './second-factor.js'
export type { BreachRange } from '../../../lib/passwords/breach-check.js'
export type { NewPasswordCheck } from './new-password.js'
export type { PasswordCheck } from './password-check.js'
export type { ConfiguredDomains } from './sso-login-policy.js'
export type { SessionStart, SsoCheck, StartSession } from './token-pairs.js'
