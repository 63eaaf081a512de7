import type { FastifyRequest, GatehouseRouteConfig } from 'fastify'

import type { HostDecision } from '../../lib/authorize.js'
import { optionAssertion, assertWholeSeconds, refuseUnknownOptions } from '../../lib/options.js'
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
 * Decides whether this user may embed this, and as whom. `null`: nobody is signed in (401). Throw `FORBIDDEN` for a user who may not,
 * `UNAUTHORIZED` as for `null`. There is no default user.
 */
export type AuthorizeEmbed = (request: FastifyRequest, details: EmbedDetails) => HostDecision<EmbedGrant>

export interface EmbedAuthorizeOptions extends Pick<UpstreamClientOptions, 'connectTimeout' | 'timeout' | 'retries' | 'ca'> {
  /** The Bold BI servers that may be called; a request only selects among them, anything else is 403 `FORBIDDEN`. */
  servers: readonly EmbedServerOptions[]
  /** For how long an answer of a function given as `embedSecret` is used without asking it again, milliseconds. Default: 2 000. */
  secretMaxAge?: number
  /** The host's decision, asked before anything is signed or sent. */
  authorize (...asked: Parameters<AuthorizeEmbed>): ReturnType<AuthorizeEmbed>
  /** Where the route is. Default: `/authorize`. */
  path?: string
  /** Goes before `path`. Default: none. */
  prefix?: string
  /** The values of `embed_mode` that are let through to `authorize`; others are 403. Default: `['view']`. */
  modes?: readonly string[]
  /**
   * The longest `embed_expirationtime` that a page may ask for, milliseconds, whole seconds from 60 000 to 604 800 000; a
   * longer one is shortened. Default: 86 400 000 (a day).
   */
  maxExpiration?: number
  /** Different dashboards that one query may name; more are 400. Default: 50, at most 500. */
  maxDashboards?: number
  /**
   * How Bold BI is asked: `'get'` with the signed query in the URL, which every server version takes; `'post'` with the same text as a JSON string;
   * `'object'` with the JSON object of version 14.1, which holds the embed secret itself, and says nothing of a mode or a life: what it
   * cannot say is signed and posted. Default: `'get'`.
   */
  transport?: EmbedTransport
  /** Characters of a URL, above which `'get'` turns into `'post'` for this call. Default: 8 000. */
  maxUrlLength?: number
  /** Let pages use the pinboard actions. Default: `false`. */
  pinboard?: boolean
  /**
   * The SDK shows the user the text of a 200 only. `'sdk'` therefore answers what a well-formed request is refused for (403 by mode or by
   * `authorize`, 502, 504) as 200 `{"ApiStatus":false,"Status":false,"Message":"…"}`; `'http'` keeps the statuses. A malformed request, an unknown
   * server, a missing user, a repeated nonce, a rate limit and a failure of our own keep theirs in both. Default: `'sdk'`.
   */
  errors?: 'sdk' | 'http'
  /** Largest request body, bytes. Default: 65 536. */
  bodyLimit?: number
  /** The limit of each client address. Default: 120 a minute. */
  rateLimit?: RateLimitOptions
  /**
   * The sites whose pages may call. List your own origin too: browsers name it in same-origin POSTs, and one that is not listed is refused. Default: no
   * CORS, so that only pages of the same origin can.
   */
  cors?: SiteCorsOptions
  /**
   * What the route asks of guards that are registered around it, such as `{ userReference: true }`. Default: a user reference may come
   * (`'optional'`) where the `userReference` plugin is registered, for `authorize` to read.
   */
  guards?: GatehouseRouteConfig
  /** The clock, epoch milliseconds. Default: `Date.now`. */
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
/** The SDK shows them all on one page, and each is looked up among those that were revoked. */
const MAX_DASHBOARDS_CEILING = 500

export type CheckedOptions = Required<Omit<EmbedAuthorizeOptions, 'connectTimeout' | 'timeout' | 'retries' | 'ca' | 'cors' | 'prefix' | 'servers' | 'secretMaxAge'>>

/** The options with their defaults. Throws `INVALID_OPTIONS`. */
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
  assertOption(typeof checked.authorize === 'function', 'authorize', 'a function that names the user')
  assertOption(typeof checked.path === 'string' && checked.path.startsWith('/'), 'path', 'a path that begins with "/"')
  assertOption(isTexts(checked.modes), 'modes', 'a list of modes that is not empty')
  assertWholeSeconds('embed-authorize', 'maxExpiration', checked.maxExpiration, 60_000, MAX_EXPIRATION_CEILING)
  assertOption(isPositive(checked.maxDashboards, MAX_DASHBOARDS_CEILING), 'maxDashboards', `1 to ${MAX_DASHBOARDS_CEILING}`, checked.maxDashboards)
  assertOption(EMBED_TRANSPORTS.includes(checked.transport), 'transport', `one of ${EMBED_TRANSPORTS.join(', ')}`)
  assertOption(isPositive(checked.maxUrlLength), 'maxUrlLength', 'a positive integer', checked.maxUrlLength)
  assertOption(typeof checked.pinboard === 'boolean', 'pinboard', 'a boolean')
  assertOption(['sdk', 'http'].includes(checked.errors), 'errors', '"sdk" or "http"')
  assertOption(isPositive(checked.bodyLimit), 'bodyLimit', 'a positive integer', checked.bodyLimit)
  assertOption(typeof checked.guards === 'object', 'guards', 'an object, as under config.gatehouse')
  assertOption(typeof checked.now === 'function', 'now', 'a function')
  return checked
}

function isTexts (list: unknown): boolean {
  return Array.isArray(list) && list.length > 0 && list.every((text) => typeof text === 'string' && text !== '')
}

function isPositive (value: unknown, max = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0 && Number(value) <= max
}
