import type { FastifyRequest } from 'fastify'

import type { HostDecision } from '../../../lib/authorize.js'
import { optionAssertion, refuseUnknownOptions } from '../../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../../lib/options.js'
import type { ProxyKeyOptions } from '../../../plugins/proxy-key.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import type { SecretSource } from '../../../lib/secrets/secret-source.js'
import type { UpstreamClientOptions } from '../../../lib/upstream-client/index.js'
import type { UserReferenceOptions } from '../../../plugins/user-reference/index.js'
import type { RenewalOptions } from './renewal-options.js'
import { checkedTokenOptions } from '../token-options.js'
import type { DatabrainTokenOptions } from '../token-options.js'

/** The user and the permissions of a guest token. Never copy values from the request without a check. */
export interface GuestTokenGrant {
  /** The id of the user or tenant. DataBrain filters rows by this id. */
  clientId: string
  /** Filters and other parameters of the token, as described on DataBrain's guest-token page. */
  params?: Record<string, unknown> | undefined
  /** Permissions of the user in the embedded pages, as described on DataBrain's guest-token page. */
  permissions?: Record<string, unknown> | undefined
  /** The data app of the token. Default: the `dataAppName` of the route. */
  dataAppName?: string | undefined
  /** Lifetime of the token, in milliseconds, 1 000 or more. Default: the `expiryTime` of the route. */
  expiryTime?: number | undefined
  /**
   * User id for the audit trail, revocations and the rate limit, 1 to 256 characters. Not sent to DataBrain. Default:
   * the `sub` of the user reference, else `clientId`.
   */
  userId?: string | undefined
  /** Tenant id for revocations, 1 to 256 characters. Not sent to DataBrain. Default: `clientId`. */
  tenant?: string | undefined
  /**
   * Start of the user's session, in epoch milliseconds. A later revocation refuses the grant. Not sent to DataBrain.
   * Default: the time at which the user reference was signed, else the current time.
   */
  issuedAt?: number | undefined
}

export interface GuestTokenOptions
  extends DatabrainTokenOptions, Pick<UpstreamClientOptions, 'connectTimeout' | 'timeout' | 'retries' | 'ca'> {
  /** Path of the route. Default: `/api/databrain/guest-token`. */
  path?: string
  /** Prefix of `path`. Default: none. */
  prefix?: string
  /**
   * Keys that DataBrain's servers send, each at least 32 characters. Default: the keys of the scope's `proxyKey` guard.
   */
  proxyKeys?: ProxyKeyOptions['keys']
  /**
   * Key of the DataBrain API, or a sync or async function that returns the current key. A new key makes all cached
   * tokens unused.
   */
  apiKey: SecretSource<string>
  /**
   * Identifies the user and returns what the token allows. Return `null` for an unknown user (401); throw `FORBIDDEN`
   * for a user without access. Default: the user reference of the request, with its `sub` as `clientId`.
   */
  authorize?(request: FastifyRequest): HostDecision<GuestTokenGrant>
  /**
   * Secrets of the user references, `[current, …previous]`. Default: the secrets of the app's `userReference` plugin.
   */
  userReferenceKeys?: UserReferenceOptions['keys']
  /**
   * Time after which a function given as `proxyKeys`, `apiKey` or `userReferenceKeys` is called again, in milliseconds.
   * Default: 2 000.
   */
  secretMaxAge?: number
  /**
   * Status of an upstream failure: `'product'` is 500 `INTERNAL_ERROR`, as DataBrain documents, `'gateway'` is 502 or
   * 504. Default: `'product'`.
   */
  errorStatus?: 'product' | 'gateway'
  /**
   * Maximum requests per client address, including requests with a wrong key. DataBrain calls from a few servers, so
   * many users share an address. Default: 1 200 per minute.
   */
  rateLimit?: RateLimitOptions
  /** Maximum requests per user of a tenant. Default: 60 per minute. */
  userRateLimit?: RateLimitOptions
  /**
   * The endpoint that returns the next `proxyAuthUrl` to a page that stays open longer than its reference. Default:
   * none.
   */
  renewal?: RenewalOptions
}

type Defaulted = 'path' | 'errorStatus' | 'rateLimit' | 'userRateLimit'

export type CheckedOptions =
  & Omit<GuestTokenOptions, Defaulted | keyof DatabrainTokenOptions | 'proxyKeys' | 'userReferenceKeys'>
  & Required<Pick<GuestTokenOptions, Defaulted> & DatabrainTokenOptions>

const assertOption: AssertOption = optionAssertion('guest-token')

const KNOWN: KnownOptions<GuestTokenOptions> = {
  path: true,
  prefix: true,
  proxyKeys: true,
  apiKey: true,
  apiUrl: true,
  dataAppName: true,
  authorize: true,
  userReferenceKeys: true,
  secretMaxAge: true,
  allowClientId: true,
  errorStatus: true,
  expiryTime: true,
  refreshAhead: true,
  cache: true,
  rateLimit: true,
  userRateLimit: true,
  renewal: true,
  guards: true,
  now: true,
  connectTimeout: true,
  timeout: true,
  retries: true,
  ca: true
}

/** Validates the options and adds the defaults. Throws `INVALID_OPTIONS`. */
export function checkedOptions (options: GuestTokenOptions): CheckedOptions {
  refuseUnknownOptions('guestToken', options, KNOWN)
  const checked: CheckedOptions = {
    ...options,
    ...checkedTokenOptions('guest-token', options),
    path: options.path ?? '/api/databrain/guest-token',
    errorStatus: options.errorStatus ?? 'product',
    rateLimit: options.rateLimit ?? { max: 1_200, timeWindow: '1 minute' },
    userRateLimit: options.userRateLimit ?? { max: 60, timeWindow: '1 minute' }
  }
  assertOption(typeof checked.path === 'string' && checked.path.startsWith('/'), 'path', 'a path that begins with "/"')
  assertOption(checked.authorize === undefined || typeof checked.authorize === 'function', 'authorize', 'a function')
  assertOption(['product', 'gateway'].includes(checked.errorStatus), 'errorStatus', '"product" or "gateway"')
  return checked
}
