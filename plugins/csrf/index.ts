import { parseCookie, stringifySetCookie } from 'cookie'
import fp from 'fastify-plugin'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'

import { acceptsRule, checkOptions, COOKIE_NAME, EXPECTED_RULE } from './options.js'
import type { CsrfCookieOptions, CsrfOptions, CsrfRule } from './options.js'
import { foreignReason, isWrite } from '../../lib/http/site-check.js'
import { tokenRoute } from './token-route.js'
import { checkKey, csrfTokens } from './tokens.js'
import type { Cookies } from './tokens.js'
import { publishAllowed } from '../../lib/channels.js'
import { CSRF_FAILED, GatehouseError, INTERNAL_ERROR } from '../../lib/errors.js'
import { defineGuard } from '../../lib/guard/index.js'
import { importOptional } from '../../lib/optional-package.js'
import { refuse, toPublicError } from '../../lib/refuse.js'
import { requestSlot } from '../../lib/request-slot.js'
import { tracedCheck } from '../../lib/trace.js'
import { RotatingSecret } from '../../lib/secrets/secret-source.js'

// An import of this module alone also loads the types that these modules add to Fastify.
export type {} from '../../lib/guard/index.js'

export type { CsrfCookieOptions, CsrfOptions, CsrfRule }

/** The decorator `app.csrf`. */
export interface CsrfTokenMaker {
  /**
   * Creates a token for the request's session, which the page sends as `X-CSRF-Token`. Sets the cookie that belongs to
   * the token, and `Cache-Control: no-store`. Rejects with the error that `sessionOf` throws.
   */
  token(request: FastifyRequest, reply: FastifyReply): Promise<string>
}

declare module 'fastify' {
  interface FastifyInstance {
    csrf: CsrfTokenMaker
  }

  interface GatehouseRouteConfig {
    /**
     * Requires a CSRF token of the request's session in `X-CSRF-Token`, and a page of an allowed origin. `'writes'`
     * checks only methods other than GET, HEAD, OPTIONS and TRACE.
     */
    csrf?: CsrfRule
  }
}

/**
 * Refuses requests that were not sent by a page of this app in the session of the page, with 403 `CSRF_FAILED`. Throws
 * `INVALID_OPTIONS`.
 *
 * @example
 * await app.register(csrf, { key: process.env.CSRF_KEY, sessionOf: (request) => request.session.sessionId })
 */
const csrf: FastifyPluginAsync<CsrfOptions> = async (app, options) => {
  checkOptions(options)
  const {
    key,
    sessionOf,
    global = false,
    origins = [],
    allowSameSite = false,
    ttl = 86_400_000,
    cookie = {},
    tokenPath
  } = options
  const { name: cookieName = COOKIE_NAME, path = '/', domain, sameSite = 'lax', secure } = cookie
  const rules = { origins: new Set(origins), allowSameSite }
  const { default: plugin } = await importOptional(
    '@fastify/csrf-protection',
    () => import('@fastify/csrf-protection'),
    'The csrf plugin'
  )
  const tokens = await RotatingSecret.open(key, {
    name: 'csrf: "key"',
    log: app.log,
    check (key) {
      checkKey(key)
      return csrfTokens(app, plugin, { key, cookieName, ttl })
    }
  })
  await tokens.get()

  const known = requestSlot<Cookies>(app)
  const ruleFor = defineGuard(app, {
    name: 'csrf',
    fallback: global,
    exempts: ['csrf', 'captcha'],
    accepts: acceptsRule,
    expected: EXPECTED_RULE,
    securityScheme: 'csrf'
  })
  app.decorate('csrf', { token: createToken })

  app.addHook('onRequest', function checkCsrf (request, reply, done) {
    const rule = ruleFor(request)
    if (rule === undefined || rule === false || (rule === 'writes' && !isWrite(request))) return done()
    checkToken(request, reply, done)
  })
  const checkToken = tracedCheck('csrf', function checkToken (request, reply, done) {
    validateToken(request).then((error) => {
      if (error !== null) {
        refuse(reply, error, 'csrf')
        return
      }
      publishAllowed(request, 'csrf')
      done()
    })
  })
  if (tokenPath !== undefined) await tokenRoute(app, tokenPath, options, rules, createToken)

  async function validateToken (request: FastifyRequest): Promise<GatehouseError | null> {
    const foreign = foreignReason(request, rules)
    if (foreign !== null) return new CSRF_FAILED({ reason: foreign })
    const token = request.headers['x-csrf-token']
    if (typeof token !== 'string') return new CSRF_FAILED({ reason: 'no CSRF token' })
    try {
      const [{ isValid }, session] = [await tokens.get(), await sessionString(request)]
      return isValid(token, cookiesOf(request), session)
        ? null
        : new CSRF_FAILED({ reason: 'the CSRF token is not valid for this session or has expired' })
    } catch (error) {
      return toPublicError(error)
    }
  }

  async function createToken (request: FastifyRequest, reply: FastifyReply): Promise<string> {
    const [{ create }, session] = [await tokens.get(), await sessionString(request)]
    reply.header('Cache-Control', 'no-store')
    return create(cookiesOf(request), session, (value) => {
      reply.header(
        'Set-Cookie',
        stringifySetCookie({
          name: cookieName,
          value,
          path,
          httpOnly: true,
          sameSite,
          secure: secure ?? (sameSite === 'none' || request.protocol === 'https'),
          ...domain === undefined ? {} : { domain }
        })
      )
    })
  }

  /** Returns the cookies of the request, including the cookie that the response sets. */
  function cookiesOf (request: FastifyRequest): Cookies {
    const cookies = known.get(request) ?? parseCookie(request.headers.cookie ?? '')
    known.set(request, cookies)
    return cookies
  }

  /** Returns the session string to which tokens are bound. Its prefix separates ids from the value for no session. */
  async function sessionString (request: FastifyRequest): Promise<string> {
    let session: unknown
    try {
      session = await sessionOf(request)
    } catch (cause) {
      throw cause instanceof GatehouseError ? cause : new INTERNAL_ERROR({ reason: 'csrf: "sessionOf" failed', cause })
    }
    if (session === null) return 'none'
    if (typeof session !== 'string' || session === '') {
      const returned = session === undefined ? 'undefined, as for a missing field of the session' : 'another value'
      throw new INTERNAL_ERROR({
        reason: 'csrf: "sessionOf" must return the id of the session, a non-empty string, or null for no session; ' +
          `it returned ${returned}`
      })
    }
    return `session ${session}`
  }
}

export default fp(csrf, { name: 'gatehouse-csrf', fastify: '5.x' })
export type { RateLimitOptions } from '../../lib/limits/rate-limit.js'
export type { SecretSource } from '../../lib/secrets/secret-source.js'
