import type { KeyObject } from 'node:crypto'

import type { FastifyRequest, GatehouseRouteConfig } from 'fastify'

import type { HostDecision } from '../../lib/authorize.js'
import { INVALID_OPTIONS } from '../../lib/errors.js'
import { assertWholeNumber, optionAssertion, refuseUnknownOptions } from '../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../lib/options.js'
import type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
import type { SecretSource } from '../../lib/secrets/secret-source.js'
import type { SiteCorsOptions } from '../../lib/cors/site-cors.js'
import { widgetKey } from '../../signing/dxfeed/signature.js'
import { signWidgetToken, widgetMessage } from '../../signing/dxfeed/widget-token.js'

/** A user who may have a token. */
export interface WidgetUser {
  /**
   * The user's id. It is the user id of the token, unless the option `user` is set, and must then not contain `,` or
   * `;`. Limits, revocations and the audit log use it in both cases.
   */
  user: string
  /** Filters of the token. They replace the route's `filters`, also if the list is empty. */
  filters?: readonly string[] | undefined
  /** Tenant id of the user, for revocations. Not part of the token. Default: none. */
  tenant?: string | undefined
  /**
   * Start of the user's session, in epoch milliseconds. A later revocation refuses the token. Not part of the token.
   * Default: the time at which the user reference was signed, else the current time.
   */
  issuedAt?: number | undefined
}

/**
 * Decides which users may have a token and which filters it contains. Return a user id, or an id with filters. Return
 * `null` or `undefined` for an unknown user (401); throw `FORBIDDEN` for a user who may not have a token (403).
 *
 * @example
 * const authorize: AuthorizeWidget = async (request) => {
 *   const session = await sessionOf(request)
 *   return session && { user: session.userId, filters: session.filters, tenant: session.tenantId }
 * }
 */
export type AuthorizeWidget = (
  request: FastifyRequest
) => HostDecision<string | WidgetUser>

export interface WidgetTokenOptions {
  /** Path of the route. Default: `/api/generate-token`. */
  path?: string
  /** Prefix of `path`. Default: none. */
  prefix?: string
  /** Secret that dxFeed issued, or a sync or async function that returns the current secret. */
  secret: SecretSource<string>
  /** Time after which a function given as `secret` is called again, in milliseconds. Default: 2 000. */
  secretMaxAge?: number
  /** Issuer that dxFeed assigned, without `,`. */
  issuer: string
  /** Session that dxFeed assigned, without `,`. */
  session: string
  /**
   * User id that dxFeed issued, without `,` and `;`. If dxFeed issued a user id, all tokens must contain it: set it
   * here, and `authorize` only decides which users may have a token and with which filters. Default: the user id that
   * `authorize` returns.
   */
  user?: string | undefined
  /** Filters of all tokens, each without `,` and `;`. Default: none, the token does not restrict the data. */
  filters?: readonly string[]
  /**
   * Unit of the times in a token: `'ms'` as on dxFeed's widget page, `'s'` as in its token knowledge base. Default:
   * `'ms'`.
   */
  timeUnit?: 'ms' | 's'
  /** Lifetime of a token, in minutes, an integer from 5 to 20. Default: 20. */
  minutes?: number
  /** Identifies the user and decides about the request, before a token is signed. There is no default user. */
  authorize(...args: Parameters<AuthorizeWidget>): ReturnType<AuthorizeWidget>
  /**
   * Sites of other origins whose pages may call the route. Default: none; a request with an `Origin` header is refused,
   * because browsers send no `Origin` with a same-origin GET.
   */
  cors?: SiteCorsOptions
  /** Maximum requests per client address. Default: 60 per minute. */
  rateLimit?: RateLimitOptions
  /** Maximum requests per user. Default: 60 per minute. */
  userRateLimit?: RateLimitOptions
  /**
   * Settings of the route for the guards of its scope, such as a captcha. Default: `userReference: 'optional'` and
   * `identityToken: 'optional'` if those plugins are registered, so that `authorize` can read them.
   */
  guards?: GatehouseRouteConfig
  /** Returns the current time in epoch milliseconds. Default: `Date.now`. */
  now?: () => number
}

export type CheckedOptions = Required<Omit<WidgetTokenOptions, 'prefix' | 'user'>> & Pick<WidgetTokenOptions, 'user'>

const assertOption: AssertOption = optionAssertion('widget-token')

const KNOWN: KnownOptions<WidgetTokenOptions> = {
  path: true,
  prefix: true,
  secret: true,
  secretMaxAge: true,
  issuer: true,
  session: true,
  user: true,
  filters: true,
  timeUnit: true,
  minutes: true,
  authorize: true,
  cors: true,
  rateLimit: true,
  userRateLimit: true,
  guards: true,
  now: true
}
const MINUTE = { max: 60, timeWindow: '1 minute' }

/** Validates the options and adds the defaults. Throws `INVALID_OPTIONS`. */
export function checkedOptions (options: WidgetTokenOptions): CheckedOptions {
  refuseUnknownOptions('widgetToken', options, KNOWN)
  const checked: CheckedOptions = {
    path: options.path ?? '/api/generate-token',
    secret: options.secret,
    secretMaxAge: options.secretMaxAge ?? 2_000,
    issuer: options.issuer,
    session: options.session,
    user: options.user,
    filters: options.filters ?? [],
    timeUnit: options.timeUnit ?? 'ms',
    minutes: options.minutes ?? 20,
    authorize: options.authorize,
    cors: options.cors ?? { origins: [] },
    rateLimit: options.rateLimit ?? MINUTE,
    userRateLimit: options.userRateLimit ?? MINUTE,
    guards: options.guards ?? {},
    now: options.now ?? Date.now
  }
  assertOption(typeof checked.path === 'string' && checked.path.startsWith('/'), 'path', 'a path that begins with "/"')
  if (typeof checked.secret !== 'function') checkedKey(checked.secret)
  assertOption(isNonEmptyString(checked.issuer), 'issuer', 'the issuer that dxFeed assigned')
  assertOption(isNonEmptyString(checked.session), 'session', 'the session that dxFeed assigned')
  assertOption(
    checked.user === undefined || isNonEmptyString(checked.user),
    'user',
    'the user id that dxFeed issued; leave it out if there is none'
  )
  assertOption(Array.isArray(checked.filters), 'filters', 'a list of strings')
  assertOption(['ms', 's'].includes(checked.timeUnit), 'timeUnit', '"ms" or "s"')
  assertWholeNumber('widget-token', 'minutes', checked.minutes, { min: 5, max: 20 })
  assertOption(typeof checked.authorize === 'function', 'authorize', 'a function that identifies the user')
  assertOption(typeof checked.guards === 'object', 'guards', 'an object, as under config.gatehouse')
  assertOption(typeof checked.now === 'function', 'now', 'a function')
  assertSignable(checked)
  return checked
}

/** Returns the signing key of a secret. Throws `INVALID_OPTIONS`, without the secret in the message. */
export function checkedKey (secret: unknown): KeyObject {
  assertOption(isNonEmptyString(secret), 'secret', 'the secret that dxFeed issued, or a function that returns it')
  return withOptionsError(() => widgetKey(secret))
}

/** Signs once at start-up, so that values which cannot be signed fail the start and not the first request. */
function assertSignable ({ issuer, session, user = 'test', filters }: CheckedOptions): void {
  const message = (): string => widgetMessage(user, filters)
  withOptionsError(() => signWidgetToken({ issuer, session, expiration: 1, issuedAt: 0, message: message() }, 'any'))
}

function withOptionsError<Result> (attempt: () => Result): Result {
  try {
    return attempt()
  } catch (error) {
    throw new INVALID_OPTIONS(`widget-token: ${(error as Error).message}`)
  }
}

function isNonEmptyString (value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
