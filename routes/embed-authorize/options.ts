import type { FastifyRequest, GatehouseRouteConfig } from 'fastify'

import type { HostDecision } from '../../lib/authorize.js'
import {
  assertBoolean, assertWholeNumber, assertWholeSeconds, optionAssertion,
  refuseUnknownOptions
} from '../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../lib/options.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import type { SiteCorsOptions } from '../../lib/cors/site-cors.js'
import type { UpstreamClientOptions } from '../../lib/upstream-client/index.js'
import type { EmbedGrant } from './grant.js'
import type { EmbedDetails } from './policy.js'
import type { EmbedServerOptions } from './servers.js'
import { EMBED_TRANSPORTS } from './transport.js'
import type { EmbedTransport } from './transport.js'

/**
 * Decides whether the user of a request may embed a dashboard, and returns the user. Return `null` for an unknown user
 * (401); throw `FORBIDDEN` for a user without access. There is no default user.
 */
export type AuthorizeEmbed = (request: FastifyRequest, details: EmbedDetails) => HostDecision<EmbedGrant>

export interface EmbedAuthorizeOptions
  extends Pick<UpstreamClientOptions, 'connectTimeout' | 'timeout' | 'retries' | 'ca'> {
  /** Bold BI servers. A request selects a server of this list; any other server is 403 `FORBIDDEN`. */
  servers: readonly EmbedServerOptions[]
  /** Time after which a function given as `embedSecret` is called again, in milliseconds. Default: 2 000. */
  secretMaxAge?: number
  /** Identifies the user and decides about the request, before a query is signed or sent. */
  authorize(...args: Parameters<AuthorizeEmbed>): ReturnType<AuthorizeEmbed>
  /** Path of the route. Default: `/authorize`. */
  path?: string
  /** Prefix of `path`. Default: none. */
  prefix?: string
  /** Accepted values of `embed_mode`; other values are 403. Default: `['view']`. */
  modes?: readonly string[]
  /**
   * Maximum lifetime of an embed, in milliseconds, 60 000 to 604 800 000 in steps of 1 000. A longer
   * `embed_expirationtime` of a page is reduced to it. Default: 86 400 000 (1 day).
   */
  maxExpiration?: number
  /** Maximum distinct dashboards in a query, 1 to 500; more are 400. Default: 50. */
  maxDashboards?: number
  /**
   * Form of the call to Bold BI. `'get'` sends the signed query in the URL and works with all server versions. `'post'`
   * sends the same string as a JSON string. `'object'` sends the JSON object of version 14.1, which contains the embed
   * secret and has no mode and no lifetime; a query that needs them is signed and posted. Default: `'get'`.
   */
  transport?: EmbedTransport
  /** Maximum characters of a URL with `'get'`; a longer call uses `'post'`. Default: 8 000. */
  maxUrlLength?: number
  /** Accepts the pinboard actions. Default: `false`. */
  pinboard?: boolean
  /**
   * Form of a refusal. The SDK shows only the message of a 200. `'sdk'` therefore sends the refusal of a well-formed
   * request (403 by mode or by `authorize`, 502, 504) as 200 `{"ApiStatus":false,"Status":false,"Message":"…"}`;
   * `'http'` sends the status. A malformed request, an unknown server, a missing user, a repeated nonce, a rate limit
   * and an internal error have their own status in both forms. Default: `'sdk'`.
   */
  errors?: 'sdk' | 'http'
  /** Maximum bytes of a request body. Default: 65 536. */
  bodyLimit?: number
  /** Maximum requests per client address. Default: 120 per minute. */
  rateLimit?: RateLimitOptions
  /**
   * Sites whose pages may call the route. Include your own origin: browsers send it with same-origin POSTs, and an
   * origin that is not listed is refused. Default: no CORS, only pages of the same origin.
   */
  cors?: SiteCorsOptions
  /**
   * Settings of the route for the guards of its scope, such as `{ userReference: true }`. Default: `userReference:
   * 'optional'` and `identityToken: 'optional'` if those plugins are registered, so that `authorize` can read them.
   */
  guards?: GatehouseRouteConfig
  /** Returns the current time in epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

const assertOption: AssertOption = optionAssertion('embed-authorize')

const KNOWN: KnownOptions<EmbedAuthorizeOptions> = {
  servers: true,
  secretMaxAge: true,
  authorize: true,
  path: true,
  prefix: true,
  modes: true,
  maxExpiration: true,
  maxDashboards: true,
  transport: true,
  maxUrlLength: true,
  pinboard: true,
  errors: true,
  bodyLimit: true,
  rateLimit: true,
  cors: true,
  guards: true,
  now: true,
  connectTimeout: true,
  timeout: true,
  retries: true,
  ca: true
}
const MAX_EXPIRATION_CEILING = 604_800_000
/** Upper bound of `maxDashboards`: each dashboard needs a look-up of its revocation. */
const MAX_DASHBOARDS_CEILING = 500

export type CheckedOptions = Required<
  Omit<
    EmbedAuthorizeOptions,
    'connectTimeout' | 'timeout' | 'retries' | 'ca' | 'cors' | 'prefix' | 'servers' | 'secretMaxAge'
  >
>

/** Validates the options and adds the defaults. Throws `INVALID_OPTIONS`. */
export function checkedOptions (options: EmbedAuthorizeOptions): CheckedOptions {
  refuseUnknownOptions('embedAuthorize', options, KNOWN)
  const checked: CheckedOptions = {
    authorize: options.authorize,
    path: options.path ?? '/authorize',
    modes: options.modes ?? ['view'],
    maxExpiration: options.maxExpiration ?? 86_400_000,
    maxDashboards: options.maxDashboards ?? 50,
    transport: options.transport ?? 'get',
    maxUrlLength: options.maxUrlLength ?? 8_000,
    pinboard: options.pinboard ?? false,
    errors: options.errors ?? 'sdk',
    bodyLimit: options.bodyLimit ?? 65_536,
    rateLimit: options.rateLimit ?? { max: 120, timeWindow: '1 minute' },
    guards: options.guards ?? {},
    now: options.now ?? Date.now
  }
  assertOption(typeof checked.authorize === 'function', 'authorize', 'a function that identifies the user')
  assertOption(typeof checked.path === 'string' && checked.path.startsWith('/'), 'path', 'a path that begins with "/"')
  assertOption(isStrings(checked.modes), 'modes', 'a non-empty list of modes')
  assertWholeSeconds('embed-authorize', 'maxExpiration', checked.maxExpiration, 60_000, MAX_EXPIRATION_CEILING)
  assertWholeNumber('embed-authorize', 'maxDashboards', checked.maxDashboards, { max: MAX_DASHBOARDS_CEILING })
  assertOption(EMBED_TRANSPORTS.includes(checked.transport), 'transport', `one of ${EMBED_TRANSPORTS.join(', ')}`)
  assertWholeNumber('embed-authorize', 'maxUrlLength', checked.maxUrlLength, { unit: 'characters' })
  assertBoolean('embed-authorize', 'pinboard', checked.pinboard)
  assertOption(['sdk', 'http'].includes(checked.errors), 'errors', '"sdk" or "http"')
  assertWholeNumber('embed-authorize', 'bodyLimit', checked.bodyLimit, { unit: 'bytes' })
  assertOption(typeof checked.guards === 'object', 'guards', 'an object, as under config.gatehouse')
  assertOption(typeof checked.now === 'function', 'now', 'a function')
  return checked
}

function isStrings (list: unknown): boolean {
  return Array.isArray(list) && list.length > 0 && list.every((text) => typeof text === 'string' && text !== '')
}
