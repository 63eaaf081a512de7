import rateLimitPlugin from '@fastify/rate-limit'
import type { RateLimitPluginOptions } from '@fastify/rate-limit'
import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'

import { capturePlugin } from '../capture-plugin.js'
import { requestNetwork } from '../http/client-address.js'
import { INVALID_OPTIONS, RATE_LIMITED } from '../errors.js'
import { assertBoolean, assertWholeNumber, optionAssertion, refuseUnknownMembers } from '../options.js'
import type { AssertOption, KnownOptions } from '../options.js'
import { WindowStore } from './window.js'
import { sharedWindowStore } from './shared-window.js'

/** The options of `@fastify/rate-limit` for one scope; `false` disables the limit. */
export type RateLimitOptions =
  | Omit<RateLimitPluginOptions, 'global' | 'errorResponseBuilder'> & {
    /**
     * Whether instances share the count if the token store supports it, at one store call per request. Default: `true`.
     */
    shared?: boolean
  }
  | false

const KNOWN: KnownOptions<Exclude<RateLimitOptions, false>> = {
  max: true,
  timeWindow: true,
  shared: true,
  hook: true,
  cache: true,
  store: true,
  redis: true,
  nameSpace: true,
  skipOnError: true,
  allowList: true,
  keyGenerator: true,
  ipv6Subnet: true,
  ban: true,
  continueExceeding: true,
  exponentialBackoff: true,
  groupId: true,
  enableDraftSpec: true,
  addHeaders: true,
  addHeadersOnExceeding: true,
  onBanReach: true,
  onExceeding: true,
  onExceeded: true
}
const assertOption: AssertOption = optionAssertion('rate-limit')
const NAME_SPACE = 'gatehouse-'
const DURATION =
  /^(\d*\.?\d+) *(?:(ms|msec|millisecond|s|sec|second|m|min|minute|h|hr|hour|d|day|w|wk|week|y|yr|year)s?)?$/i
const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_557_600_000
}

/**
 * Limits all requests of the scope: 429 `RATE_LIMITED` with `Retry-After` and the `RateLimit-*` headers.
 *
 * `@fastify/rate-limit` attaches itself to each route, after the hooks of the scope, so refusals of a guard would not
 * be limited. Therefore its handler becomes a hook of the scope, in the order of the calls. A host's own registration
 * of the plugin is independent of it.
 */
export async function limitRate (scope: FastifyInstance, limit: RateLimitOptions): Promise<void> {
  if (limit === false) return
  const check = await rateCheck(scope, limit)
  scope.addHook((limit.hook ?? 'onRequest') as 'onRequest', check)
}

/** Returns the check for use in another hook. The check rejects with `RATE_LIMITED`. */
export async function rateCheck (
  scope: FastifyInstance,
  limit: Exclude<RateLimitOptions, false>
): Promise<onRequestAsyncHookHandler> {
  checkLimit(limit)
  const { shared = true, ...options } = limit
  // Several scopes and the host itself may share one Redis.
  const nameSpace = `${options.nameSpace ?? NAME_SPACE}${scope.prefix}-`
  const settings: RateLimitPluginOptions = {
    enableDraftSpec: true,
    // The plugin's own generator fails for a disconnected client and accepts invalid addresses.
    keyGenerator: (request) => requestNetwork(request, options.ipv6Subnet),
    ...options,
    nameSpace,
    errorResponseBuilder: (_request, { ttl, max }) =>
      new RATE_LIMITED({ retryAfterSeconds: ttl / 1000, reason: `more than ${max} requests in the time window` })
  }
  if (options.redis == null && options.continueExceeding !== true && options.exponentialBackoff !== true) {
    const limits = shared && scope.hasDecorator('tokenStore') ? scope.tokenStore.sharedLimits : undefined
    settings.store ??= limits === undefined ? WindowStore : sharedWindowStore(limits, nameSpace)
  }
  const { rateLimit } = await capturePlugin(scope, rateLimitPlugin, settings, {
    name: '@fastify/rate-limit',
    decorators: ['rateLimit']
  })
  // A custom store receives "cache" only in this way.
  return (rateLimit as (settings: object) => onRequestAsyncHookHandler)({ cache: options.cache })
}

/** Returns the milliseconds of a time window such as `'1 minute'`, or `null` if it is invalid. */
export function windowOf (timeWindow: unknown): number | null {
  const [, count, unit = 'ms'] = (typeof timeWindow === 'string' && DURATION.exec(timeWindow)) || []
  const time = count === undefined
    ? timeWindow
    : Number(count) * (UNITS[/^ms|^milli/i.test(unit) ? 'ms' : unit.charAt(0).toLowerCase()] ?? NaN)
  return typeof time === 'number' && Number.isFinite(time) && time > 0 ? time : null
}

/** The plugin itself would replace invalid values by its default, 1 000 per minute. */
function checkLimit (options: Exclude<RateLimitOptions, false>): void {
  if (typeof options !== 'object' || options === null) {
    throw new INVALID_OPTIONS(
      "rate-limit: a limit must be false or an object such as { max: 100, timeWindow: '1 minute' }"
    )
  }
  refuseUnknownMembers('rateLimit', '', options, KNOWN)
  const { max, timeWindow, shared, ipv6Subnet } = options
  if (ipv6Subnet !== undefined) {
    assertWholeNumber('rate-limit', 'ipv6Subnet', ipv6Subnet, { min: 0, max: 128, unit: 'bits' })
  }
  if (shared !== undefined) assertBoolean('rate-limit', 'shared', shared)
  assertOption(
    max === undefined || typeof max === 'function' || (Number.isFinite(max) && max >= 0),
    'max',
    'a number of requests or a function',
    max
  )
  assertOption(
    timeWindow === undefined || typeof timeWindow === 'function' || windowOf(timeWindow) !== null,
    'timeWindow',
    'a number of milliseconds, a string such as "1 minute", or a function',
    timeWindow
  )
}

/**
 * Returns the options with a separate name space, which separates the counts of several limits of one scope in Redis.
 */
export function named (options: RateLimitOptions, name: string): RateLimitOptions {
  if (options === false) return false
  checkLimit(options)
  return { ...options, nameSpace: `${options.nameSpace ?? NAME_SPACE}${name}-` }
}
