import { stringifySetCookie } from 'cookie'
import type { FastifyRequest } from 'fastify'

import { isExactOrigin, originFault } from '../../lib/cors/exact-origin.js'
import { optionAssertion, refuseUnknownMembers, refuseUnknownOptions } from '../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../lib/options.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import type { SecretSource } from '../../lib/secrets/secret-source.js'

/** `'writes'`: for methods other than GET, HEAD, OPTIONS and TRACE alone. */
export type CsrfRule = boolean | 'writes'

export interface CsrfCookieOptions {
  /** Default: `gatehouse_csrf`. Two registrations that one browser meets on one host need two names, or two keys' tokens end each other. */
  name?: string
  /** Default: `/`. */
  path?: string
  /** Default: none, the host alone. */
  domain?: string
  /**
   * `'none'` for pages in a frame of another site. With `'strict'` a browser that follows another site's link to a page of the app leaves the cookie out,
   * so that a page which gets its token from the server gets a new cookie too, and the tokens of other open tabs end. Default: `'lax'`.
   */
  sameSite?: 'strict' | 'lax' | 'none'
  /** Default: whether the request came by HTTPS. */
  secure?: boolean
}

export interface CsrfOptions {
  /** Signs tokens: at least 32 bytes, the same in each instance. A function is asked again as its answer ages; tokens of the key before no longer hold. */
  key: SecretSource<string>
  /**
   * The id of the request's session, which its tokens are bound to: a token of one session is not valid in another. With `@fastify/session` it is
   * `request.session.sessionId`. Return `null` where there is no session, before a login: such tokens are valid without a session only. `undefined`
   * is an error, 500 `INTERNAL_ERROR`, because it is what a misspelt field gives. Throw one of the suite's errors to refuse.
   */
  sessionOf: (request: FastifyRequest) => string | null | Promise<string | null>
  /** What a route of this scope that does not name the guard asks for, the 404 handler included. Default: `false`. */
  global?: CsrfRule
  /** Other origins whose pages may call, exact, of any scheme (`https://app.example.com`, `capacitor://localhost`); they need CORS of the routes, too. Default: none. */
  origins?: readonly string[]
  /** Let pages of other origins of the same site call. Default: `false`. */
  allowSameSite?: boolean
  /** How long a token is valid, milliseconds, 1 000 or more. Default: 86 400 000 (a day). */
  ttl?: number
  /** The cookie that a token holds together with. */
  cookie?: CsrfCookieOptions
  /** A route, `GET`, that hands the page a token. Default: none; the host calls `app.csrf.token`. */
  tokenPath?: string
  /** The limit of `tokenPath` for each client address. Default: 120 a minute. */
  rateLimit?: RateLimitOptions
}

export const COOKIE_NAME = 'gatehouse_csrf'

const assertOption: AssertOption = optionAssertion('csrf')

const KNOWN: KnownOptions<CsrfOptions> = {
  key: true, sessionOf: true, global: true, origins: true, allowSameSite: true, ttl: true, cookie: true, tokenPath: true, rateLimit: true
}
const KNOWN_OF_COOKIE: KnownOptions<CsrfCookieOptions> = { name: true, path: true, domain: true, sameSite: true, secure: true }
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const EXPECTED_ORIGINS = 'a list of exact origins such as https://app.example.com or capacitor://localhost'
const RULES: readonly unknown[] = [true, false, 'writes']

/** Throws `INVALID_OPTIONS`. What is checked where it is used (`key`, `rateLimit`) is left out. */
export function checkOptions (options: CsrfOptions): void {
  refuseUnknownOptions('csrf', options, KNOWN, { maxAge: 'ttl' })
  const { sessionOf, global, origins, allowSameSite, ttl, tokenPath } = options
  assertOption(typeof sessionOf === 'function', 'sessionOf', 'a function that names the session of a request')
  assertOption(global === undefined || acceptsRule(global), 'global', EXPECTED_RULE)
  assertOption(origins === undefined || Array.isArray(origins), 'origins', EXPECTED_ORIGINS)
  for (const origin of origins ?? []) assertOption(isExactOrigin(origin), 'origins', `${EXPECTED_ORIGINS}: ${originFault(origin)}`)
  assertOption(allowSameSite === undefined || typeof allowSameSite === 'boolean', 'allowSameSite', 'true or false')
  assertOption(ttl === undefined || (Number.isSafeInteger(ttl) && ttl >= 1_000), 'ttl', 'a whole number of milliseconds, 1000 or more')
  assertOption(tokenPath === undefined || (typeof tokenPath === 'string' && tokenPath.startsWith('/')), 'tokenPath', 'a path that begins with "/"')
  checkCookie(options.cookie ?? {})
}

function checkCookie (cookie: CsrfCookieOptions): void {
  assertOption(typeof cookie === 'object', 'cookie', 'an object')
  refuseUnknownMembers('csrf', 'cookie.', cookie, KNOWN_OF_COOKIE)
  const { name = COOKIE_NAME, path = '/', domain, sameSite, secure } = cookie
  assertOption(typeof name === 'string' && NAME.test(name), 'cookie.name', 'the name of a cookie')
  assertOption(typeof path === 'string' && path.startsWith('/') && canBeSet({ path }), 'cookie.path', 'a path that begins with "/" and has no ";"')
  assertOption(domain === undefined || (typeof domain === 'string' && domain !== '' && canBeSet({ domain })), 'cookie.domain', 'a domain')
  assertOption(sameSite === undefined || ['strict', 'lax', 'none'].includes(sameSite), 'cookie.sameSite', '"strict", "lax" or "none"')
  assertOption(secure === undefined || typeof secure === 'boolean', 'cookie.secure', 'true or false')
  // Browsers drop both without a word.
  assertOption(sameSite !== 'none' || secure !== false, 'cookie.secure', 'true where "cookie.sameSite" is "none"')
  assertOption(!/^__(?:host|secure)-/i.test(name) || secure === true, 'cookie.secure', 'true for a name that begins with __Host- or __Secure-')
  assertOption(!/^__host-/i.test(name) || (path === '/' && domain === undefined), 'cookie', 'of the path "/" and of no domain for a name that begins with __Host-')
}

export const EXPECTED_RULE = 'true, false or \'writes\''

export function acceptsRule (rule: unknown): boolean {
  return RULES.includes(rule)
}

/** Whether the attribute is one that a cookie is sent with: else each token would fail. */
function canBeSet (attribute: { path: string } | { domain: string }): boolean {
  try {
    stringifySetCookie({ name: COOKIE_NAME, value: '', ...attribute })
    return true
  } catch {
    return false
  }
}
