import type { FastifyRequest, GatehouseRouteConfig } from 'fastify'

import { revocableGrant } from '../../../plugins/embed-revocation.js'
import type { RevocableGrant } from '../../../plugins/embed-revocation.js'
import { isEpochMilliseconds } from '../../../lib/authorize.js'
import type { HostDecision } from '../../../lib/authorize.js'
import { INTERNAL_ERROR } from '../../../lib/errors.js'
import { optionAssertion, refuseUnknownMembers } from '../../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../../lib/options.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import type { SiteCorsOptions } from '../../../lib/cors/site-cors.js'
import type { UserReferenceClaims } from '../../../signing/user-reference.js'
import { proxyAuthUrl } from './page-config.js'

/** The user of an open page, as the host's own session knows the user. */
export interface RenewalGrant {
  /** The claims of the next reference, as the page's first reference has them. */
  claims: UserReferenceClaims
  /**
   * When the user signed in, epoch milliseconds. A revocation since then refuses the renewal: the next reference alone
   * would count as issued after it.
   */
  issuedAt: number
  /** The id that revocations and the limit use, 1 to 256 characters. Default: `claims.sub`. */
  userId?: string | undefined
  /**
   * The tenant of the user, for revocations, 1 to 256 characters: the one that the guest-token route uses. Default:
   * `claims.sub` if the guest-token route has no `authorize`, otherwise none.
   */
  tenant?: string | undefined
}

/** The endpoint that returns the next `proxyAuthUrl` to an open page. */
export interface RenewalOptions {
  /** The public URL of the guest-token route, as for `pageConfig`. */
  url: string
  /**
   * Identifies the user by the host's own session, such as its cookie. `null`: 401; throw `FORBIDDEN` for a user who may
   * not. `request.userReference` is `null` here: a reference, expired or not, never renews itself.
   */
  authorize (request: FastifyRequest): HostDecision<RenewalGrant>
  /** The path of the endpoint. Default: `/api/databrain/proxy-auth-url`. */
  path?: string
  /** The sites whose pages may call, if any has another origin. Default: no CORS, only pages of the same origin. */
  cors?: SiteCorsOptions
  /** The limit of each client address. Default: 120 requests a minute. */
  rateLimit?: RateLimitOptions
  /** The limit of each user of a tenant. Default: 30 requests a minute. */
  userRateLimit?: RateLimitOptions
  /**
   * The route's settings for guards that are registered around it, such as `{ csrf: true }`. `userReference` and
   * `proxyKey` are refused: neither identifies the user of a session. Default: none.
   */
  guards?: GatehouseRouteConfig
}

export type CheckedRenewal = Required<Omit<RenewalOptions, 'cors'>> & Pick<RenewalOptions, 'cors'>

export interface CheckedRenewalGrant {
  claims: UserReferenceClaims
  user: string
  tenant: string | null
  /** By what it is cut off. */
  revocable: RevocableGrant
}

const assertOption: AssertOption = optionAssertion('guest-token')

const KNOWN: KnownOptions<RenewalOptions> = {
  url: true, authorize: true, path: true, cors: true, rateLimit: true, userRateLimit: true, guards: true
}
const MEMBERS = new Set(['claims', 'issuedAt', 'userId', 'tenant'])
const LONGEST_NAME = 256

/** The options with their defaults. Throws `INVALID_OPTIONS`. */
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
  assertOption(typeof checked.path === 'string' && checked.path.startsWith('/'), 'renewal.path', 'a path that begins with "/"')
  assertOption(typeof checked.guards === 'object', 'renewal.guards', 'an object, as under config.gatehouse')
  const { userReference = false, proxyKey = false } = checked.guards
  assertOption(userReference === false, 'renewal.guards.userReference', 'false: a reference must not renew itself')
  assertOption(proxyKey === false, 'renewal.guards.proxyKey', 'false: pages call this route, not the servers of DataBrain')
  return checked
}

/** The host's answer with its defaults. Throws `INTERNAL_ERROR` for an invalid one. */
export function checkedRenewalGrant (grant: RenewalGrant, now: number, isSubTenant: boolean): CheckedRenewalGrant {
  const { claims, issuedAt, userId } = grant
  const tenant = grant.tenant ?? (isSubTenant ? claims?.sub : null)
  const user = userId ?? claims?.sub
  const isKnown = Object.keys(grant).every((name) => MEMBERS.has(name))
  if (!isKnown || !isName(user) || !(tenant === null || isName(tenant)) || !isEpochMilliseconds(issuedAt)) {
    throw new INTERNAL_ERROR({ reason: '"renewal.authorize" must return { claims, issuedAt, userId?, tenant? }' })
  }
  // The next reference would count as issued after a revocation of its `sub`.
  return { claims, user, tenant, revocable: revocableGrant(claims, { users: [user], tenant, issuedAt }, now) }
}

function isName (value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME
}

function isPublicUrl (url: string): boolean {
  try {
    return proxyAuthUrl(url, 'v1') !== ''
  } catch {
    return false
  }
}
