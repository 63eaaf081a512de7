import { assertBoolean, assertWholeNumber, optionAssertion, refuseUnknownOptions } from '../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../lib/options.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import type { SecretSource } from '../../lib/secrets/secret-source.js'
import type { SiteCorsOptions } from '../../lib/cors/site-cors.js'
import { PRODUCTS } from './products.js'
import type { SiteverifyProvider } from './products.js'
import { parseUrl } from '../../signing/parse-url.js'

const assertOption: AssertOption = optionAssertion('captcha')

/** The rule of a route: `true` requires a solved captcha, `{ action }` a captcha that was solved for this action. */
export type CaptchaRule = boolean | { action: string }

export interface CommonCaptchaOptions {
  /** Rule of all routes of this scope, and of the 404 handler, that do not set `captcha`. Default: `false`. */
  global?: CaptchaRule
  /**
   * Property of the body (a JSON object or a parsed form) that may contain the token, such as `cf-turnstile-response`.
   * A token, in the body or in the header, is then checked and used up after the body has passed its schema. Default:
   * none; the token is only read from the header `X-Captcha-Token`, and checked and used up before the body is read.
   */
  field?: string
  /** Maximum tokens and, counted separately, maximum challenges per client address. Default: 60 per minute each. */
  rateLimit?: RateLimitOptions
  /** Returns the current time in epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

/** Options of Turnstile, hCaptcha and reCAPTCHA, whose siteverify endpoint is called for each token. */
export interface SiteverifyOptions extends CommonCaptchaOptions {
  provider: SiteverifyProvider
  /** Secret key that the product issued, or a function that returns the current key. */
  secret: SecretSource<string>
  /** Exact host names of the pages that may show the captcha, such as `shop.example.com`; at least one. */
  hostnames: readonly string[]
  /** URL of the siteverify endpoint; https, or http on loopback. Default: the product's own URL. */
  siteverifyUrl?: string
  /**
   * Site key of hCaptcha; tokens of other site keys of the account are refused. Default: all site keys are accepted.
   */
  siteKey?: string
  /**
   * Minimum score, 0 to 1, for reCAPTCHA v3 only. If it is set, a response without a score is refused. Default: 0.5 if
   * the response has a score.
   */
  minScore?: number
  /** Sends the client's address to the product. Default: `false`. */
  sendAddress?: boolean
  /** Maximum age of a solution, in milliseconds. The products' tokens expire after 2 or 5 minutes. Default: 300 000. */
  maxAge?: number
  /** Maximum time for the product's response, in milliseconds; then the request is refused. Default: 5 000. */
  timeout?: number
}

/** Options of ALTCHA, a proof of work whose challenges this app creates and verifies itself. */
export interface AltchaOptions extends CommonCaptchaOptions {
  provider: 'altcha'
  /**
   * Key that signs challenges, at least 32 bytes, the same in all instances; or a function that returns the current
   * key. A new key makes existing challenges invalid.
   */
  hmacKey: SecretSource<string>
  /** Path of the route that returns a challenge. Default: `/captcha/challenge`. */
  challengePath?: string
  /** Sites of other origins whose pages may fetch a challenge. Default: none. */
  cors?: SiteCorsOptions
  /** Lifetime of a challenge, in milliseconds, 1 000 or more. Default: 600 000 (10 minutes). */
  ttl?: number
  /** Rounds of PBKDF2-SHA-256 per try. Default: 1 000. */
  cost?: number
  /** Maximum tries per challenge; the average is half of it. Default: 4 000. */
  maxTries?: number
}

export type CaptchaOptions = SiteverifyOptions | AltchaOptions

/** Actions that Turnstile accepts, and the slash of reCAPTCHA. */
export const ACTION = /^[A-Za-z0-9_/-]{1,100}$/
export const CHALLENGE_PATH = '/captcha/challenge'
export const CAPTCHA_LIMIT: RateLimitOptions = { max: 60, timeWindow: '1 minute' }

const HOSTNAME = /^[a-z0-9._-]+$/i
/** Maximum duration, in milliseconds, so that the end of a claim is always a valid date. */
const YEAR = 31_536_000_000
/** Maximum of a timer and of the rounds of PBKDF2. */
const INT32 = 0x7fffffff

const COMMON: KnownOptions<CommonCaptchaOptions> = { global: true, field: true, rateLimit: true, now: true }
const OF_SITEVERIFY: KnownOptions<SiteverifyOptions> = {
  ...COMMON,
  provider: true,
  secret: true,
  hostnames: true,
  siteverifyUrl: true,
  siteKey: true,
  minScore: true,
  sendAddress: true,
  maxAge: true,
  timeout: true
}
const OF_ALTCHA: KnownOptions<AltchaOptions> = {
  ...COMMON,
  provider: true,
  hmacKey: true,
  challengePath: true,
  cors: true,
  ttl: true,
  cost: true,
  maxTries: true
}

/** Throws `INVALID_OPTIONS` for an invalid option. Secrets, `cors` and `rateLimit` are checked where they are used. */
export function checkOptions (options: CaptchaOptions): void {
  const { provider, global, field } = options as Partial<CaptchaOptions>
  const providers = [...Object.keys(PRODUCTS), 'altcha']
  assertOption(providers.includes(provider as string), 'provider', `one of ${providers.join(', ')}`)
  // Options of another provider are also unknown.
  refuseUnknownOptions(`captcha (${provider})`, options, provider === 'altcha' ? OF_ALTCHA : OF_SITEVERIFY, {
    expiresIn: 'ttl'
  })
  assertOption(global === undefined || acceptsRule(options, global), 'global', expectedRule(options))
  assertOption(field === undefined || isNonEmptyString(field), 'field', 'the name of a property of the body')
  assertOption(options.now === undefined || typeof options.now === 'function', 'now', 'a function')
  if (options.provider === 'altcha') checkAltcha(options)
  else checkSiteverify(options)
}

/** Returns whether a route's `config.gatehouse.captcha` is valid for the provider: hCaptcha has no actions. */
export function acceptsRule ({ provider }: CaptchaOptions, rule: unknown): boolean {
  if (typeof rule === 'boolean') return true
  if (!hasActions(provider) || typeof rule !== 'object' || rule === null) return false
  const { action, ...others } = rule as Record<string, unknown>
  return typeof action === 'string' && ACTION.test(action) && Object.keys(others).length === 0
}

export function expectedRule ({ provider }: CaptchaOptions): string {
  return hasActions(provider)
    ? 'true, false or { action }, of at most 100 letters, digits, "_", "-" and "/"'
    : `true or false, as ${provider} has no actions`
}

function hasActions (provider: CaptchaOptions['provider']): boolean {
  return provider === 'altcha' || PRODUCTS[provider].hasActions
}

function checkSiteverify (options: SiteverifyOptions): void {
  const { provider, hostnames, siteverifyUrl, siteKey, minScore, sendAddress, maxAge, timeout } = options
  const { takesSiteKey, hasScores } = PRODUCTS[provider]
  assertOption(
    Array.isArray(hostnames) && hostnames.length > 0 && hostnames.every((name) =>
      typeof name === 'string' && HOSTNAME.test(name)
    ),
    'hostnames',
    'a list of host names such as shop.example.com, at least one'
  )
  assertOption(
    siteverifyUrl === undefined || isSafeUrl(siteverifyUrl),
    'siteverifyUrl',
    'an https URL without credentials, or an http URL on loopback'
  )
  assertOption(
    siteKey === undefined || (takesSiteKey && isNonEmptyString(siteKey)),
    'siteKey',
    'the site key of hCaptcha; remove it for other providers'
  )
  assertOption(
    minScore === undefined || (hasScores && minScore >= 0 && minScore <= 1),
    'minScore',
    'a number from 0 to 1; remove it for providers other than reCAPTCHA'
  )
  if (sendAddress !== undefined) assertBoolean('captcha', 'sendAddress', sendAddress)
  assertCount('maxAge', maxAge, YEAR)
  assertCount('timeout', timeout, INT32)
}

function checkAltcha ({ challengePath, ttl, cost, maxTries }: AltchaOptions): void {
  assertOption(
    challengePath === undefined || (isNonEmptyString(challengePath) && challengePath.startsWith('/')),
    'challengePath',
    'a path that begins with "/"'
  )
  assertCount('ttl', ttl, YEAR)
  assertOption((ttl ?? 1_000) >= 1_000, 'ttl', 'at least 1000 milliseconds, because challenges expire on whole seconds')
  assertCount('cost', cost, INT32)
  assertCount('maxTries', maxTries, 0xffffffff)
}

function isSafeUrl (text: string): boolean {
  const url = parseUrl(text)
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false
  return url.protocol === 'https:' ||
    (url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname))
}

function isNonEmptyString (value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function assertCount (name: string, value: number | undefined, max: number): void {
  if (value !== undefined) assertWholeNumber('captcha', name, value, { max })
}
