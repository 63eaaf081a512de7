import { assertWholeNumber, optionAssertion, refuseUnknownOptions } from '../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../lib/options.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import type { SecretSource } from '../../lib/secrets/secret-source.js'
import type { SiteCorsOptions } from '../../lib/cors/site-cors.js'
import { PRODUCTS } from './products.js'
import type { SiteverifyProvider } from './products.js'
import { parseUrl } from '../../signing/parse-url.js'

const assertOption: AssertOption = optionAssertion('captcha')

/** What a route asks for: any solved captcha, or one that was solved for this action. */
export type CaptchaRule = boolean | { action: string }

export interface CommonCaptchaOptions {
  /** What a route of this scope that does not name the guard asks for, the 404 handler included. Default: `false`. */
  global?: CaptchaRule
  /**
   * A property of the body (a JSON object or a parsed form) in which the token may come too, such as `cf-turnstile-response`. A token, in the body or
   * in the header, is then checked and used up after the body has passed its schema. Default: none; the token comes in the header `X-Captcha-Token`
   * and is checked and used up before the body is read.
   */
  field?: string
  /** The limit of each client address: of tokens that it presents and, counted for itself, of challenges that it is handed. Default: 60 a minute. */
  rateLimit?: RateLimitOptions
  /** The clock, epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

/** Turnstile, hCaptcha or reCAPTCHA: the product's siteverify is asked about each token. */
export interface SiteverifyOptions extends CommonCaptchaOptions {
  provider: SiteverifyProvider
  /** The secret key that the product gave, as it is. A function is asked again as its answer ages. */
  secret: SecretSource<string>
  /** The host names of the pages that may show the captcha, exact (`shop.example.com`). At least one. */
  hostnames: readonly string[]
  /** Where the product's siteverify is; https, or http on loopback. Default: the product's own address. */
  siteverifyUrl?: string
  /** hCaptcha's site key, so that a token of another site of the same account is refused. Default: any. */
  siteKey?: string
  /** The lowest score that passes, 0 to 1; reCAPTCHA v3 alone. Default: 0.5 where the answer has a score; if set, an answer without one is refused. */
  minScore?: number
  /** Tell the product the client's address. Default: `false`. */
  sendAddress?: boolean
  /** The longest time since the challenge, milliseconds. The products end their tokens themselves, after 2 or 5 minutes. Default: 300 000. */
  maxAge?: number
  /** The longest wait for the product, milliseconds; then the request is refused. Default: 5 000. */
  timeout?: number
}

/** ALTCHA: a proof of work that this app hands out and checks itself. */
export interface AltchaOptions extends CommonCaptchaOptions {
  provider: 'altcha'
  /** At least 32 bytes, the same in each instance. A function is asked again as its answer ages; challenges of the key before no longer pass. */
  hmacKey: SecretSource<string>
  /** Where pages fetch a challenge. Default: `/captcha/challenge`. */
  challengePath?: string
  /** The sites whose pages may fetch a challenge from another origin. Default: none. */
  cors?: SiteCorsOptions
  /** How long a challenge is valid, milliseconds, 1 000 or more. Default: 600 000 (10 min). */
  ttl?: number
  /** Rounds of PBKDF2-SHA-256 that one try takes. Default: 1 000. */
  cost?: number
  /** The tries that a challenge takes at most; half of them on the average. Default: 4 000. */
  maxTries?: number
}

export type CaptchaOptions = SiteverifyOptions | AltchaOptions

/** What Turnstile takes as an action, and reCAPTCHA but for its slash. */
export const ACTION = /^[A-Za-z0-9_/-]{1,100}$/
export const CHALLENGE_PATH = '/captcha/challenge'
export const CAPTCHA_LIMIT: RateLimitOptions = { max: 60, timeWindow: '1 minute' }

const HOSTNAME = /^[a-z0-9._-]+$/i
/** Of a time, milliseconds; a claim that ends beyond all dates could not be stored. */
const YEAR = 31_536_000_000
/** Of a timer, and of the rounds of PBKDF2. */
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
  ...COMMON, provider: true, hmacKey: true, challengePath: true, cors: true, ttl: true, cost: true, maxTries: true
}

/** Throws `INVALID_OPTIONS`. What is checked where it is used (secrets, `cors`, `rateLimit`) is left out. */
export function checkOptions (options: CaptchaOptions): void {
  const { provider, global, field } = options as Partial<CaptchaOptions>
  const providers = [...Object.keys(PRODUCTS), 'altcha']
  assertOption(providers.includes(provider as string), 'provider', `one of ${providers.join(', ')}`)
  // Options of another provider are unknown too.
  refuseUnknownOptions(`captcha (${provider})`, options, provider === 'altcha' ? OF_ALTCHA : OF_SITEVERIFY, { expiresIn: 'ttl' })
  assertOption(global === undefined || acceptsRule(options, global), 'global', expectedRule(options))
  assertOption(field === undefined || isText(field), 'field', 'the name of a member of the body')
  assertOption(options.now === undefined || typeof options.now === 'function', 'now', 'a function')
  if (options.provider === 'altcha') checkAltcha(options)
  else checkSiteverify(options)
}

/** Whether a route's `config.gatehouse.captcha` can be held: hCaptcha knows no actions. */
export function acceptsRule ({ provider }: CaptchaOptions, rule: unknown): boolean {
  if (typeof rule === 'boolean') return true
  if (!hasActions(provider) || typeof rule !== 'object' || rule === null) return false
  const { action, ...others } = rule as Record<string, unknown>
  return typeof action === 'string' && ACTION.test(action) && Object.keys(others).length === 0
}

export function expectedRule ({ provider }: CaptchaOptions): string {
  return hasActions(provider) ? 'true, false or { action }, of at most 100 letters, digits, "_", "-" and "/"' : `true or false, as ${provider} has no actions`
}

function hasActions (provider: CaptchaOptions['provider']): boolean {
  return provider === 'altcha' || PRODUCTS[provider].hasActions
}

function checkSiteverify (options: SiteverifyOptions): void {
  const { provider, hostnames, siteverifyUrl, siteKey, minScore, sendAddress, maxAge, timeout } = options
  const { takesSiteKey, hasScores } = PRODUCTS[provider]
  assertOption(Array.isArray(hostnames) && hostnames.length > 0 && hostnames.every((name) => typeof name === 'string' && HOSTNAME.test(name)),
    'hostnames', 'a list of host names such as shop.example.com, at least one')
  assertOption(siteverifyUrl === undefined || isSafeUrl(siteverifyUrl), 'siteverifyUrl', 'an https address without credentials, or an http one on loopback')
  assertOption(siteKey === undefined || (takesSiteKey && isText(siteKey)), 'siteKey', 'hCaptcha\'s site key; other products take none')
  assertOption(minScore === undefined || (hasScores && minScore >= 0 && minScore <= 1), 'minScore', 'a number from 0 to 1, and is for reCAPTCHA alone')
  assertOption(sendAddress === undefined || typeof sendAddress === 'boolean', 'sendAddress', 'true or false')
  assertCount('maxAge', maxAge, YEAR)
  assertCount('timeout', timeout, INT32)
}

function checkAltcha ({ challengePath, ttl, cost, maxTries }: AltchaOptions): void {
  assertOption(challengePath === undefined || (isText(challengePath) && challengePath.startsWith('/')), 'challengePath', 'a path that begins with "/"')
  assertCount('ttl', ttl, YEAR)
  assertOption((ttl ?? 1_000) >= 1_000, 'ttl', 'at least 1 000 milliseconds, as challenges end on whole seconds')
  assertCount('cost', cost, INT32)
  assertCount('maxTries', maxTries, 0xffffffff)
}

function isSafeUrl (text: string): boolean {
  const url = parseUrl(text)
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname))
}

function isText (value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function assertCount (name: string, value: number | undefined, max: number): void {
  if (value !== undefined) assertWholeNumber('captcha', name, value, { max })
}
