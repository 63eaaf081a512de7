import type { GatehouseRouteConfig } from 'fastify'

import { assertBoolean, assertWholeNumber, optionAssertion } from '../../lib/options.js'
import type { AssertOption } from '../../lib/options.js'
import { parseUrl } from '../../signing/parse-url.js'

/** Minimum lifetime of a token, in milliseconds. */
const MIN_LIFETIME = 1_000

/** Options of every route that mints guest tokens. */
export interface DatabrainTokenOptions {
  /** Base URL of the DataBrain API. Default: `https://api.usedatabrain.com`. */
  apiUrl?: string
  /** Name of the data app of the tokens. */
  dataAppName: string
  /**
   * Returns `true` to accept a client id that is empty, `"None"`, longer than 256 characters, or contains quotes,
   * semicolons, backslashes or control characters. Default: all such ids are refused.
   */
  allowClientId?: (id: string) => boolean
  /** Lifetime of a token, in milliseconds, 1 000 or more. Default: 3 600 000 (1 hour). */
  expiryTime?: number
  /**
   * Final share of a token's lifetime in which the cache no longer returns it, 0 to 0.9, but at least 30 seconds.
   * Default: 0.1.
   */
  refreshAhead?: number
  /** Caches tokens in `app.tokenStore.guestTokens`. Default: `true`. */
  cache?: boolean
  /** Settings of the route for other guards of its scope. Default: none. */
  guards?: GatehouseRouteConfig
  /** Returns the current time in epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

/** Validates the options that routes with guest tokens share, and adds the defaults. Throws `INVALID_OPTIONS`. */
export function checkedTokenOptions (plugin: string, options: DatabrainTokenOptions): Required<DatabrainTokenOptions> {
  const assertOption: AssertOption = optionAssertion(plugin)
  const {
    apiUrl = 'https://api.usedatabrain.com',
    dataAppName,
    allowClientId = () => false,
    expiryTime = 3_600_000,
    refreshAhead = 0.1,
    cache = true,
    guards = {},
    now = Date.now
  } = options
  assertOption(typeof dataAppName === 'string' && dataAppName !== '', 'dataAppName', 'the name of a data app')
  assertOption(typeof allowClientId === 'function', 'allowClientId', 'a function')
  assertWholeNumber(plugin, 'expiryTime', expiryTime, { min: MIN_LIFETIME, unit: 'milliseconds' })
  assertOption(
    typeof refreshAhead === 'number' && refreshAhead >= 0 && refreshAhead <= 0.9,
    'refreshAhead',
    'a number from 0 to 0.9',
    refreshAhead
  )
  assertBoolean(plugin, 'cache', cache)
  assertOption(typeof guards === 'object' && guards !== null, 'guards', 'an object, as under config.gatehouse')
  assertOption(typeof now === 'function', 'now', 'a function')
  return {
    apiUrl: baseUrl(plugin, 'apiUrl', apiUrl),
    dataAppName,
    allowClientId,
    expiryTime,
    refreshAhead,
    cache,
    guards,
    now
  }
}

/** Returns the normalised origin and path of a URL, without a trailing slash. Throws `INVALID_OPTIONS`. */
export function baseUrl (plugin: string, option: string, value: string): string {
  const assertOption: AssertOption = optionAssertion(plugin)
  const url = parseUrl(value)
  assertOption(
    url !== null && ['http:', 'https:'].includes(url.protocol) &&
      url.username + url.password + url.search + url.hash === '',
    option,
    'an http(s) URL without credentials, query or fragment'
  )
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

/** Returns a valid key of the DataBrain API. Throws `INVALID_OPTIONS` for a key that is not a valid header value. */
export function checkedApiKey (plugin: string, apiKey: unknown): string {
  const assertOption: AssertOption = optionAssertion(plugin)
  assertOption(
    typeof apiKey === 'string' && /^[\x21-\x7e]+$/.test(apiKey),
    'apiKey',
    'the key of the DataBrain API, in printable ASCII characters without spaces'
  )
  return apiKey
}

/** Whether a value is a lifetime that DataBrain accepts for a token. */
export function isLifetime (milliseconds: unknown): boolean {
  return Number.isSafeInteger(milliseconds) && Number(milliseconds) >= MIN_LIFETIME
}
