import { isExactOrigin } from '../../lib/cors/exact-origin.js'
import { LONGEST_TIMER } from '../../lib/deadline.js'
import { INVALID_OPTIONS } from '../../lib/errors.js'
import { assertBoolean, assertWholeNumber, optionAssertion, refuseUnknownMembers, refuseUnknownOptions } from '../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../lib/options.js'
import { checkedProvider } from './provider-options.js'
import type { CheckedProvider, IdentityProviderOptions } from './provider-options.js'

export interface TokenCookieOptions {
  /** Name of the cookie that contains the token, such as Clerk's `__session`. */
  name: string
  /**
   * Other origins whose pages may send writes with the cookie, exact, such as `https://app.example.com`. The routes
   * also need CORS for them. Default: none.
   */
  origins?: readonly string[]
  /** Accepts writes from pages of other origins of the same site. Default: `false`. */
  allowSameSite?: boolean
}

export interface IdentityTokenOptions {
  /** The trusted identity providers, each with a different `issuer`. The `iss` of a token selects one of them. */
  providers: readonly IdentityProviderOptions[]
  /** Reads the token from `Authorization: Bearer`. Default: `true`. */
  bearer?: boolean
  /** Name of a header that contains only the token, such as `X-Identity-Token`. Default: none. */
  header?: string
  /**
   * Reads the token from a cookie if no header contains one. A write (not GET, HEAD, OPTIONS or TRACE) with the cookie
   * must come from a page of the same origin or of `cookie.origins`. Default: none.
   */
  cookie?: TokenCookieOptions
  /** Rule of all routes of this scope that do not set `identityToken`. Default: `false`. */
  global?: boolean | 'optional'
  /** Difference of the clocks that `exp`, `nbf` and `iat` may have, in milliseconds, 0 to 30 000. Default: 5 000. */
  clockTolerance?: number
  /** Age after which the keys of a provider are fetched again, in milliseconds, 1 000 or more. Default: 600 000. */
  keysMaxAge?: number
  /**
   * Maximum age of keys while the provider does not respond, in milliseconds, at least `keysMaxAge`. Afterwards tokens
   * are refused with 503. Default: 86 400 000 (1 day).
   */
  keysMaxStale?: number
  /**
   * Minimum time between two fetches for tokens with an unknown `kid`, in milliseconds, 1 000 or more. After a failed
   * fetch it is at most 5 000. Default: 30 000.
   */
  cooldown?: number
  /**
   * Maximum time of one fetch, the discovery document and the keys together, in milliseconds, 100 to 10 000. No request
   * waits longer. Default: 3 000.
   */
  timeout?: number
  /** Returns the current time in epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

export type CheckedOptions =
  & Required<Omit<IdentityTokenOptions, 'providers' | 'header' | 'cookie' | 'now'>>
  & Pick<IdentityTokenOptions, 'now'>
  & { providers: readonly CheckedProvider[], header: string | null, cookie: TokenCookieOptions | null }

const assertOption: AssertOption = optionAssertion('identity-token')

const KNOWN: KnownOptions<IdentityTokenOptions> = {
  providers: true,
  bearer: true,
  header: true,
  cookie: true,
  global: true,
  clockTolerance: true,
  keysMaxAge: true,
  keysMaxStale: true,
  cooldown: true,
  timeout: true,
  now: true
}
const KNOWN_OF_COOKIE: KnownOptions<TokenCookieOptions> = { name: true, origins: true, allowSameSite: true }
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const RULES: readonly unknown[] = [true, false, 'optional']

/** A description of the values of `config.gatehouse.identityToken`. */
export const EXPECTED_RULE = "true, false or 'optional'"

/** Returns whether a value of `config.gatehouse.identityToken` is valid. */
export function acceptsRule (value: unknown): boolean {
  return RULES.includes(value)
}

/** Validates the options and adds the defaults. Throws `INVALID_OPTIONS`. */
export function checkedOptions (options: IdentityTokenOptions): CheckedOptions {
  refuseUnknownOptions('identityToken', options, KNOWN)
  const { providers, bearer = true, header, cookie, global = false, now } = options
  const { clockTolerance = 5_000, keysMaxAge = 600_000, cooldown = 30_000, timeout = 3_000 } = options
  const { keysMaxStale = Math.max(86_400_000, keysMaxAge) } = options
  assertOption(Array.isArray(providers) && providers.length > 0, 'providers', 'a non-empty list of identity providers')
  assertBoolean('identity-token', 'bearer', bearer)
  assertOption(header === undefined || isName(header), 'header', 'the name of a header', header)
  assertOption(
    header?.toLowerCase() !== 'authorization',
    'header',
    'another header than Authorization, which "bearer" reads'
  )
  checkCookie(cookie)
  assertOption(
    bearer || header !== undefined || cookie !== undefined,
    'bearer',
    'true unless "header" or "cookie" is set: no token could be read'
  )
  assertOption(acceptsRule(global), 'global', EXPECTED_RULE)
  const milliseconds = { unit: 'milliseconds' }
  assertWholeNumber('identity-token', 'clockTolerance', clockTolerance, { min: 0, max: 30_000, ...milliseconds })
  assertWholeNumber('identity-token', 'keysMaxAge', keysMaxAge, { min: 1_000, max: LONGEST_TIMER, ...milliseconds })
  assertWholeNumber('identity-token', 'keysMaxStale', keysMaxStale, { min: keysMaxAge, ...milliseconds })
  assertWholeNumber('identity-token', 'cooldown', cooldown, { min: 1_000, max: LONGEST_TIMER, ...milliseconds })
  assertWholeNumber('identity-token', 'timeout', timeout, { min: 100, max: 10_000, ...milliseconds })
  assertOption(now === undefined || typeof now === 'function', 'now', 'a function')
  return {
    providers: checkedProviders(providers),
    bearer,
    header: header?.toLowerCase() ?? null,
    cookie: cookie ?? null,
    global,
    clockTolerance,
    keysMaxAge,
    keysMaxStale,
    cooldown,
    timeout,
    ...now === undefined ? {} : { now }
  }
}

function checkedProviders (providers: readonly IdentityProviderOptions[]): CheckedProvider[] {
  const checked = providers.map(checkedProvider)
  assertOption(
    isDistinct(checked.map(({ issuer }) => issuer)),
    'providers',
    'a list in which each "issuer" occurs once; several audiences are a list in one provider'
  )
  if (checked.length === 1) return checked
  // Without names, users of two providers could have equal ids.
  const names = checked.map(({ name }) => name)
  if (names.includes(null) || !isDistinct(names)) {
    throw new INVALID_OPTIONS('identity-token: each of several "providers" must have a different "name"')
  }
  return checked
}

function checkCookie (cookie: unknown): asserts cookie is TokenCookieOptions | undefined {
  if (cookie === undefined) return
  assertOption(typeof cookie === 'object' && cookie !== null, 'cookie', 'an object')
  refuseUnknownMembers('identity-token', 'cookie.', cookie, KNOWN_OF_COOKIE)
  const { name, origins, allowSameSite } = cookie as Partial<TokenCookieOptions>
  assertOption(isName(name), 'cookie.name', 'the name of a cookie', name)
  assertOption(
    origins === undefined || (Array.isArray(origins) && origins.every(isExactOrigin)),
    'cookie.origins',
    'a list of exact origins such as https://app.example.com'
  )
  if (allowSameSite !== undefined) assertBoolean('identity-token', 'cookie.allowSameSite', allowSameSite)
}

function isName (value: unknown): boolean {
  return typeof value === 'string' && NAME.test(value)
}

function isDistinct (values: readonly unknown[]): boolean {
  return new Set(values).size === values.length
}
