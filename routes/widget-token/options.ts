import type { FastifyRequest, GatehouseRouteConfig } from 'fastify'

import type { HostDecision } from '../../lib/authorize.js'
import { INVALID_OPTIONS } from '../../lib/errors.js'
import { optionAssertion, refuseUnknownOptions } from '../../lib/options.js'
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
  /** What the user may see; replaces the route's `filters`, an empty list too. */
  filters?: readonly string[] | undefined
  /** Whose user it is, for revocations; never signed. Default: nobody's. */
  tenant?: string | undefined
  /**
   * When the user proved who it is, epoch milliseconds, such as the start of the session: a revocation since then refuses. Never signed.
   * Default: when the request's user reference was made; without one, now.
   */
  issuedAt?: number | undefined
}

/**
 * Decides which users may have a token and which filters it contains. Returns a user id, or an id with filters.
 * `null` or `undefined`: nobody is signed in (401). Throw `FORBIDDEN` for a user who may not have a token (403).
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
  /** Where the route is. Default: `/api/generate-token`. */
  path?: string
  /** Goes before `path`. Default: none. */
  prefix?: string
  /** The secret that dxFeed gave, as it is; or a function that gives the one of now, sync or async, such as a secret manager's client. */
  secret: SecretSource<string>
  /** Milliseconds for which what a function gave is used without asking again, so the longest that an old secret still signs. Default: 2 000. */
  secretMaxAge?: number
  /** The issuer that dxFeed gave, without `,`. */
  issuer: string
  /** The session that dxFeed gave, without `,`. */
  session: string
  /**
   * The user id that dxFeed issued, without `,` and `;`. If dxFeed issued one, every token must contain it: set it here,
   * and `authorize` then only decides which users may have a token and with which filters. Default: none; the user id of
   * a token is then the one that `authorize` returns.
   */
  user?: string | undefined
  /** What every user may see, each without `,` and `;`. Default: none, so that the token itself narrows nothing. */
  filters?: readonly string[]
  /** The unit of the token's times: `'ms'` as the widget page prints them, `'s'` as the token knowledge base does. Default: `'ms'`. */
  timeUnit?: 'ms' | 's'
  /** Life of a token, whole minutes from 5 to 20. Default: 20. */
  minutes?: number
  /** The host's decision, called before a token is signed. There is no default user. */
  authorize (...asked: Parameters<AuthorizeWidget>): ReturnType<AuthorizeWidget>
  /** The sites whose pages may call. Default: none; a request with an `Origin` is refused then, as pages of the same origin send none. */
  cors?: SiteCorsOptions
  /** The limit of each client address. Default: 60 a minute. */
  rateLimit?: RateLimitOptions
  /** The limit of each user. Default: 60 a minute. */
  userRateLimit?: RateLimitOptions
  /**
   * What the route asks of guards that are registered around it, such as a captcha. Default: a user reference may come (`'optional'`) where the
   * `userReference` plugin is registered, for `authorize` to read.
   */
  guards?: GatehouseRouteConfig
  /** The clock, epoch milliseconds. Default: `Date.now`. */
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

/** The options with their defaults. Throws `INVALID_OPTIONS`. */
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
  assertOption(isText(checked.issuer), 'issuer', 'the issuer that dxFeed gave')
  assertOption(isText(checked.session), 'session', 'the session that dxFeed gave')
  assertOption(checked.user === undefined || isText(checked.user), 'user', 'the user id that dxFeed issued; leave it out if there is none')
  assertOption(Array.isArray(checked.filters), 'filters', 'a list of strings')
  assertOption(['ms', 's'].includes(checked.timeUnit), 'timeUnit', '"ms" or "s"')
  assertOption(Number.isInteger(checked.minutes) && checked.minutes >= 5 && checked.minutes <= 20, 'minutes', 'a whole number from 5 to 20')
  assertOption(typeof checked.authorize === 'function', 'authorize', 'a function that names the user')
  assertOption(typeof checked.guards === 'object', 'guards', 'an object, as under config.gatehouse')
  assertOption(typeof checked.now === 'function', 'now', 'a function')
  tryOut(checked)
  return checked
}

/** The key of a secret that could sign. Throws `INVALID_OPTIONS`, which does not show it. */
export function checkedKey (secret: unknown): string {
  assertOption(isText(secret), 'secret', 'the secret that dxFeed gave, or a function that gives it')
  return orInvalid(() => widgetKey(secret))
}

/** Signs once at start-up, so that options which cannot be signed fail the start and not the first request. */
function tryOut ({ issuer, session, user = 'test', filters }: CheckedOptions): void {
  const message = (): string => widgetMessage(user, filters)
  orInvalid(() => signWidgetToken({ issuer, session, expiration: 1, issuedAt: 0, message: message() }, 'any'))
}

function orInvalid<Result> (attempt: () => Result): Result {
  try {
    return attempt()
  } catch (error) {
    throw new INVALID_OPTIONS(`widget-token: ${(error as Error).message}`)
  }
}

function isText (value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
