import type { FastifyRequest, GatehouseRouteConfig } from 'fastify'

import type { HostDecision } from '../../../lib/authorize.js'
import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { optionAssertion, refuseUnknownOptions } from '../../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../../lib/options.js'
import type { ProxyKeyOptions } from '../../../plugins/proxy-key.js'
import type { RateLimitOptions } from '../../../lib/limits/rate-limit.js'
import type { SecretSource } from '../../../lib/secrets/secret-source.js'
import type { UpstreamClientOptions } from '../../../lib/upstream-client/index.js'
import type { UserReferenceOptions } from '../../../plugins/user-reference/index.js'
import type { RenewalOptions } from './renewal-options.js'
import { parseUrl } from '../../../signing/parse-url.js'

/** For whom a guest token is, and what it allows. Nothing of it may come from the request as it is. */
export interface GuestTokenGrant {
  /** The user's or tenant's id, by which DataBrain filters rows. */
  clientId: string
  /** Filters and other parameters of the token, as DataBrain's guest-token page has them. */
  params?: Record<string, unknown> | undefined
  /** What the user may do in the embedded pages, likewise. */
  permissions?: Record<string, unknown> | undefined
  /** Default: the route's. */
  dataAppName?: string | undefined
  /** Life of the token, milliseconds. Default: the route's. */
  expiryTime?: number | undefined
  /**
   * Who is audited, and whom revocations and the rate limit go by, 1 to 256 characters; not sent on. Default: the `sub` of the user reference, else
   * `clientId`.
   */
  userId?: string | undefined
  /** Whose user it is, for revocations, 1 to 256 characters; not sent on. Default: `clientId`. */
  tenant?: string | undefined
  /**
   * Since when the user is known, such as the start of the session, epoch milliseconds; a revocation ends what is older. Not sent on. Default: when the
   * user reference was made, else now.
   */
  issuedAt?: number | undefined
}

export interface GuestTokenOptions extends Pick<UpstreamClientOptions, 'connectTimeout' | 'timeout' | 'retries' | 'ca'> {
  /** Where the route is. Default: `/api/databrain/guest-token`. */
  path?: string
  /** Goes before `path`. Default: none. */
  prefix?: string
  /** The keys that DataBrain's servers may present, each at least 32 characters. Default: those of the `proxyKey` guard around the route. */
  proxyKeys?: ProxyKeyOptions['keys']
  /** The key of the DataBrain API, or a function, sync or async, that gives the one of now. Under another key all tokens are minted anew. */
  apiKey: SecretSource<string>
  /** The DataBrain API. Default: `https://api.usedatabrain.com`. */
  apiUrl?: string
  /** The data app of the tokens. */
  dataAppName: string
  /**
   * Who the user is and what the token allows. `null`: nobody (401); throw `FORBIDDEN` for a user who may not. Default: the user reference of
   * the request, its `sub` as `clientId`.
   */
  authorize? (request: FastifyRequest): HostDecision<GuestTokenGrant>
  /** `[current, …previous]` secrets of the user references. Default: the `userReference` plugin that the app has. */
  userReferenceKeys?: UserReferenceOptions['keys']
  /** How long what a function gave for `proxyKeys`, `apiKey` or `userReferenceKeys` is used before it is asked again, milliseconds. Default: 2 000. */
  secretMaxAge?: number
  /** Says yes to a client id that is empty, `"None"`, over 256 characters, or has quotes, semicolons, backslashes or control characters. */
  allowClientId?: (id: string) => boolean
  /** What an upstream failure is: `'product'` 500 `INTERNAL_ERROR`, as the product documents it, `'gateway'` 502 and 504. Default: `'product'`. */
  errorStatus?: 'product' | 'gateway'
  /** Life of a token, milliseconds. Default: 3 600 000 (1 h). */
  expiryTime?: number
  /** The last share of a token's life in which it is no longer handed out from the cache, 0 to 0.9, but 30 s at least. Default: 0.1. */
  refreshAhead?: number
  /** Keep tokens in `app.tokenStore.guestTokens`. Default: `true`. */
  cache?: boolean
  /**
   * The limit of each client address, wrong keys included. The callers are DataBrain's few servers, so that many users
   * share an address. Default: 1 200 requests a minute.
   */
  rateLimit?: RateLimitOptions
  /** The limit of each user of a tenant. Default: 60 requests a minute. */
  userRateLimit?: RateLimitOptions
  /** The endpoint that returns the next `proxyAuthUrl` to a page that stays open longer than its reference. Default: none. */
  renewal?: RenewalOptions
  /** What else the route asks of guards that are registered around it. Default: nothing. */
  guards?: GatehouseRouteConfig
  /** The clock, epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

type Defaulted = 'path' | 'apiUrl' | 'errorStatus' | 'expiryTime' | 'refreshAhead' | 'cache' | 'rateLimit' | 'userRateLimit' | 'guards' | 'now' | 'allowClientId'

export type CheckedOptions = Omit<GuestTokenOptions, Defaulted | 'proxyKeys' | 'userReferenceKeys'> & Required<Pick<GuestTokenOptions, Defaulted>>

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

/** The options with their defaults. Throws `INVALID_OPTIONS`. */
export function checkedOptions (options: GuestTokenOptions): CheckedOptions {
  refuseUnknownOptions('guestToken', options, KNOWN)
  const checked: CheckedOptions = {
    ...options,
    path: options.path ?? '/api/databrain/guest-token',
    apiUrl: String(options.apiUrl ?? 'https://api.usedatabrain.com').replace(/\/+$/, ''),
    allowClientId: options.allowClientId ?? (() => false),
    errorStatus: options.errorStatus ?? 'product',
    expiryTime: options.expiryTime ?? 3_600_000,
    refreshAhead: options.refreshAhead ?? 0.1,
    cache: options.cache ?? true,
    rateLimit: options.rateLimit ?? { max: 1_200, timeWindow: '1 minute' },
    userRateLimit: options.userRateLimit ?? { max: 60, timeWindow: '1 minute' },
    guards: options.guards ?? {},
    now: options.now ?? Date.now
  }
  assertOption(typeof checked.path === 'string' && checked.path.startsWith('/'), 'path', 'a path that begins with "/"')
  assertOption(isApiUrl(checked.apiUrl), 'apiUrl', 'an http(s) URL without credentials, query or fragment')
  assertOption(typeof checked.dataAppName === 'string' && checked.dataAppName !== '', 'dataAppName', 'the name of a data app')
  assertOption(checked.authorize === undefined || typeof checked.authorize === 'function', 'authorize', 'a function')
  assertOption(typeof checked.allowClientId === 'function', 'allowClientId', 'a function')
  assertOption(['product', 'gateway'].includes(checked.errorStatus), 'errorStatus', '"product" or "gateway"')
  assertOption(isLife(checked.expiryTime), 'expiryTime', 'a whole number of milliseconds, 1000 or more', checked.expiryTime)
  assertOption(checked.refreshAhead >= 0 && checked.refreshAhead <= 0.9, 'refreshAhead', 'a number from 0 to 0.9', checked.refreshAhead)
  assertOption(typeof checked.cache === 'boolean', 'cache', 'a boolean')
  assertOption(typeof checked.guards === 'object', 'guards', 'an object, as under config.gatehouse')
  assertOption(typeof checked.now === 'function', 'now', 'a function')
  return checked
}

/** The key of the DataBrain API as it is. Throws `INVALID_OPTIONS` for one that no header can carry. */
export function checkedApiKey (apiKey: unknown): string {
  if (typeof apiKey !== 'string' || !/^[\x21-\x7e]+$/.test(apiKey)) throw new INVALID_OPTIONS('guest-token: "apiKey" must be the key of the DataBrain API')
  return apiKey
}

export function isLife (milliseconds: unknown): boolean {
  return Number.isSafeInteger(milliseconds) && Number(milliseconds) >= 1_000
}

function isApiUrl (text: string): boolean {
  const url = parseUrl(text)
  if (url === null) return false
  const { protocol, username, password, search, hash } = url
  return ['http:', 'https:'].includes(protocol) && username + password + search + hash === ''
}
