import type { FastifyRequest, GatehouseRouteConfig } from 'fastify'

import { revocableGrant } from '../../../plugins/embed-revocation.js'
import type { RevocableGrant } from '../../../plugins/embed-revocation.js'
import { isEpochMilliseconds } from '../../../lib/authorize.js'
import type { HostDecision } from '../../../lib/authorize.js'
import { INTERNAL_ERROR } from '../../../lib/errors.js'
import { optionAssertion, refuseUnknownMembers } from '../../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../../lib/options.js'
import type { SignedUser } from '../../../lib/signed-users.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
import type { UserReferenceClaims } from '../../../signing/user-reference.js'
import { proxyAuthUrl } from './page-config.js'

/** The user of an open page, identified by the host's session. */
export interface RenewalGrant {
  /** The claims of the next reference, as the page's first reference has them. */
  claims: UserReferenceClaims
  /**
   * Time at which the user signed in, in epoch milliseconds. A later revocation refuses the renewal; the next reference
   * itself would count as issued after the revocation.
   */
  issuedAt: number
  /** User id for revocations and the rate limit, 1 to 256 characters. Default: `claims.sub`. */
  userId?: string | undefined
  /**
   * Tenant id for revocations, 1 to 256 characters, the same as in the guest-token route. Default: `claims.sub` if the
   * guest-token route has no `authorize`, otherwise none.
   */
  tenant?: string | undefined
}

/** Options of the endpoint that returns the next `proxyAuthUrl` to an open page. */
export interface RenewalOptions {
  /** The public URL of the guest-token route, as for `pageConfig`. */
  url: string
  /**
   * Identifies the user by the host's session, such as a session cookie. Return `null` for an unknown user (401); throw
   * `FORBIDDEN` for a user without access. `request.userReference` is `null` here: a reference never renews itself.
   */
  authorize(request: FastifyRequest): HostDecision<RenewalGrant>
  /** Path of the endpoint. Default: `/api/databrain/proxy-auth-url`. */
  path?: string
  /** Sites of other origins whose pages may call the endpoint. Default: none, only pages of the same origin. */
  cors?: SiteCorsOptions
  /** Maximum requests per client address. Default: 120 per minute. */
  rateLimit?: RateLimitOptions
  /** Maximum requests per user of a tenant. Default: 30 per minute. */
  userRateLimit?: RateLimitOptions
  /**
   * Settings of the endpoint for the guards of its scope, such as `{ csrf: true }`. `userReference` and `proxyKey` are
   * refused, because they do not identify the user of a session. Default: none.
   */
  guards?: GatehouseRouteConfig
}

export type CheckedRenewal = Required<Omit<RenewalOptions, 'cors'>> & Pick<RenewalOptions, 'cors'>

export interface CheckedRenewalGrant {
  claims: UserReferenceClaims
  user: string
  tenant: string | null
  /** The names by which the grant can be revoked. */
  revocable: RevocableGrant
}

const assertOption: AssertOption = optionAssertion('guest-token')

const KNOWN: KnownOptions<RenewalOptions> = {
  url: true,
  authorize: true,
  path: true,
  cors: true,
  rateLimit: true,
  userRateLimit: true,
  guards: true
}
const MEMBERS = new Set(['claims', 'issuedAt', 'userId', 'tenant'])
const MAX_NAME_LENGTH = 256

/** Validates the options and adds the defaults. Throws `INVALID_OPTIONS`. */
export function checkedRenewal (options: RenewalOptions): CheckedRenewal {
  refuseUnknownMembers('guestToken', 'renewal.', options, KNOWN)
  const checked = {
    path: '/api/databrain/proxy-auth-url',
    rateLimit: { max: 120, timeWindow: '1 minute' },
    userRateLimit: { max: 30, timeWindow: '1 minute' },
    guards: {},
    ...options
  }
  assertOption(typeof options === 'object' && options !== null, 'renewal', 'an object')
  assertOption(isPublicUrl(checked.url), 'renewal.url', 'the absolute http(s) URL of the guest-token route')
  assertOption(typeof checked.authorize === 'function', 'renewal.authorize', 'a function that identifies the user')
  assertOption(
    typeof checked.path === 'string' && checked.path.startsWith('/'),
    'renewal.path',
    'a path that begins with "/"'
  )
  assertOption(typeof checked.guards === 'object', 'renewal.guards', 'an object, as under config.gatehouse')
  const { userReference = false, proxyKey = false } = checked.guards
  assertOption(userReference === false, 'renewal.guards.userReference', 'false: a reference must not renew itself')
  assertOption(
    proxyKey === false,
    'renewal.guards.proxyKey',
    "false: pages call this route, DataBrain's servers do not"
  )
  return checked
}

/** Validates the result of `renewal.authorize` and adds the defaults. Throws `INTERNAL_ERROR` for an invalid result. */
export function checkedRenewalGrant (
  grant: RenewalGrant,
  credentials: readonly SignedUser[],
  now: number,
  isSubTenant: boolean
): CheckedRenewalGrant {
  const { claims, issuedAt, userId } = grant
  const tenant = grant.tenant ?? (isSubTenant ? claims?.sub : null)
  const user = userId ?? claims?.sub
  const isKnown = Object.keys(grant).every((name) => MEMBERS.has(name))
  if (!isKnown || !isName(user) || !(tenant === null || isName(tenant)) || !isEpochMilliseconds(issuedAt)) {
    throw new INTERNAL_ERROR({ reason: '"renewal.authorize" must return { claims, issuedAt, userId?, tenant? }' })
  }
  // The next reference would count as issued after a revocation of its `sub`.
  const revocable = revocableGrant([claims, ...credentials], { users: [user], tenant, issuedAt }, now)
  return { claims, user, tenant, revocable }
}

function isName (value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH
}

function isPublicUrl (url: string): boolean {
  try {
    return proxyAuthUrl(url, 'v1') !== ''
  } catch {
    return false
  }
}
