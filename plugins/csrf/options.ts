import { stringifySetCookie } from 'cookie'
import type { FastifyRequest } from 'fastify'

import { isExactOrigin, originProblem } from '../../lib/cors/exact-origin.js'
import {
  assertBoolean, assertWholeNumber, optionAssertion, refuseUnknownMembers,
  refuseUnknownOptions
} from '../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../lib/options.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import type { SecretSource } from '../../lib/secrets/secret-source.js'

/** `'writes'` applies the guard only to methods other than GET, HEAD, OPTIONS and TRACE. */
export type CsrfRule = boolean | 'writes'

export interface CsrfCookieOptions {
  /**
   * Name of the cookie. Two registrations with different keys on one host need different names. Default:
   * `gatehouse_csrf`.
   */
  name?: string
  /** Path of the cookie. Default: `/`. */
  path?: string
  /** Domain of the cookie. Default: only the host of the request. */
  domain?: string
  /**
   * SameSite attribute. Use `'none'` for pages in a frame of another site. With `'strict'` a browser that follows a
   * link from another site does not send the cookie; the page then gets a new cookie, and the tokens of other tabs
   * become invalid. Default: `'lax'`.
   */
  sameSite?: 'strict' | 'lax' | 'none'
  /** Secure attribute. Default: whether the request arrived over HTTPS. */
  secure?: boolean
}

export interface CsrfOptions {
  /**
   * Key that signs tokens, at least 32 bytes, the same in all instances; or a function that returns the current key. A
   * new key makes existing tokens invalid.
   */
  key: SecretSource<string>
  /**
   * Returns the id of the request's session. A token is valid only in its session. With `@fastify/session` the id is
   * `request.session.sessionId`. Return `null` without a session, such as before a login; these tokens are valid only
   * without a session. `undefined` is an error, 500 `INTERNAL_ERROR`, because a misspelt field returns it. Throw one of
   * the suite's errors to refuse the request.
   */
  sessionOf: (request: FastifyRequest) => string | null | Promise<string | null>
  /** Rule of all routes of this scope, and of the 404 handler, that do not set `csrf`. Default: `false`. */
  global?: CsrfRule
  /**
   * Other origins whose pages may call, exact, such as `https://app.example.com` or `capacitor://localhost`. The routes
   * also need CORS for them. Default: none.
   */
  origins?: readonly string[]
  /** Accepts requests from pages of other origins of the same site. Default: `false`. */
  allowSameSite?: boolean
  /** Lifetime of a token, in milliseconds, 1 000 or more. Default: 86 400 000 (1 day). */
  ttl?: number
  /** Options of the cookie that belongs to a token. */
  cookie?: CsrfCookieOptions
  /** Path of a GET route that returns a token to a page. Default: no route; the host calls `app.csrf.token`. */
  tokenPath?: string
  /** Maximum requests to `tokenPath` per client address. Default: 120 per minute. */
  rateLimit?: RateLimitOptions
}

export const COOKIE_NAME = 'gatehouse_csrf'

const assertOption: AssertOption = optionAssertion('csrf')

const KNOWN: KnownOptions<CsrfOptions> = {
  key: true,
  sessionOf: true,
  global: true,
  origins: true,
  allowSameSite: true,
  ttl: true,
  cookie: true,
  tokenPath: true,
  rateLimit: true
}
const KNOWN_OF_COOKIE: KnownOptions<CsrfCookieOptions> = {
  name: true,
  path: true,
  domain: true,
  sameSite: true,
  secure: true
}
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const EXPECTED_ORIGINS = 'a list of exact origins such as https://app.example.com or capacitor://localhost'
const RULES: readonly unknown[] = [true, false, 'writes']

/** Throws `INVALID_OPTIONS` for an invalid option. `key` and `rateLimit` are checked where they are used. */
export function checkOptions (options: CsrfOptions): void {
  refuseUnknownOptions('csrf', options, KNOWN, { maxAge: 'ttl' })
  const { sessionOf, global, origins, allowSameSite, ttl, tokenPath } = options
  assertOption(typeof sessionOf === 'function', 'sessionOf', 'a function that returns the session id of a request')
  assertOption(global === undefined || acceptsRule(global), 'global', EXPECTED_RULE)
  assertOption(origins === undefined || Array.isArray(origins), 'origins', EXPECTED_ORIGINS)
  for (const origin of origins ?? []) {
    assertOption(isExactOrigin(origin), 'origins', `${EXPECTED_ORIGINS}: ${originProblem(origin)}`)
  }
  if (allowSameSite !== undefined) assertBoolean('csrf', 'allowSameSite', allowSameSite)
  if (ttl !== undefined) assertWholeNumber('csrf', 'ttl', ttl, { min: 1_000, unit: 'milliseconds' })
  assertOption(
    tokenPath === undefined || (typeof tokenPath === 'string' && tokenPath.startsWith('/')),
    'tokenPath',
    'a path that begins with "/"'
  )
  checkCookie(options.cookie ?? {})
}

function checkCookie (cookie: CsrfCookieOptions): void {
  assertOption(typeof cookie === 'object', 'cookie', 'an object')
  refuseUnknownMembers('csrf', 'cookie.', cookie, KNOWN_OF_COOKIE)
  const { name = COOKIE_NAME, path = '/', domain, sameSite, secure } = cookie
  assertOption(typeof name === 'string' && NAME.test(name), 'cookie.name', 'the name of a cookie')
  assertOption(
    typeof path === 'string' && path.startsWith('/') && canBeSet({ path }),
    'cookie.path',
    'a path that begins with "/" and does not contain ";"'
  )
  assertOption(
    domain === undefined || (typeof domain === 'string' && domain !== '' && canBeSet({ domain })),
    'cookie.domain',
    'a domain'
  )
  assertOption(
    sameSite === undefined || ['strict', 'lax', 'none'].includes(sameSite),
    'cookie.sameSite',
    '"strict", "lax" or "none"'
  )
  if (secure !== undefined) assertBoolean('csrf', 'cookie.secure', secure)
  // Browsers silently drop cookies that violate these rules.
  assertOption(sameSite !== 'none' || secure !== false, 'cookie.secure', 'true if "cookie.sameSite" is "none"')
  assertOption(
    !/^__(?:host|secure)-/i.test(name) || secure === true,
    'cookie.secure',
    'true for a name that begins with __Host- or __Secure-'
  )
  assertOption(
    !/^__host-/i.test(name) || (path === '/' && domain === undefined),
    'cookie',
    'an object with path "/" and without domain for a name that begins with __Host-'
  )
}

export const EXPECTED_RULE = "true, false or 'writes'"

export function acceptsRule (rule: unknown): boolean {
  return RULES.includes(rule)
}

/** Returns whether a cookie can be sent with the attribute; otherwise each token would fail. */
function canBeSet (attribute: { path: string } | { domain: string }): boolean {
  try {
    stringifySetCookie({ name: COOKIE_NAME, value: '', ...attribute })
    return true
  } catch {
    return false
  }
}
