import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'

import { CSRF_FAILED, INVALID_REQUEST } from '../../../lib/errors.js'
import { refuse } from '../../../lib/refuse.js'
import { foreignReason } from '../../../lib/http/site-check.js'
import {
  cookieLogoutSchema, cookieRefreshSchema, eitherLogoutSchema, eitherRefreshSchema, logoutSchema, refreshSchema
} from '../../../schemas/admin-auth.js'
import type { RefreshBody, TokenPair, TokenReply } from '../../../schemas/admin-auth.js'
import { readRefreshCookie, setRefreshCookie } from '../refresh-cookie.js'
import { optionalBody } from '../request.js'

/** How refresh tokens travel: in JSON, or in a cookie that scripts of the page cannot read. */
export interface TokenDelivery {
  readonly refreshSchema: typeof refreshSchema | typeof cookieRefreshSchema | typeof eitherRefreshSchema
  readonly logoutSchema: typeof logoutSchema | typeof cookieLogoutSchema | typeof eitherLogoutSchema
  /** Route options of refresh and logout. */
  readonly routeOptions: Partial<typeof optionalBody>
  /** Returns the body of a response with new tokens, and sets the cookie. `endsAt` ends the session, epoch ms. */
  deliver (request: FastifyRequest, pair: TokenPair, endsAt: number): TokenReply
  /** Returns the refresh token of a request; `null` without one. */
  read (request: FastifyRequest): string | null
  /** Returns the refresh token of the session that the cookie of a new session replaces; `null` without one. */
  replaced (request: FastifyRequest): string | null
  /** Deletes the cookie. */
  forget (request: FastifyRequest): void
  /** Returns whether the refresh token of a request may be repeated for a short time, as tabs that share it need. */
  allowsRepeat (request: FastifyRequest): boolean
  /** Refuses requests of pages of other sites with 403 `CSRF_FAILED`, on the routes that read or set the cookie. */
  guardPages (scope: FastifyInstance): void
}

interface CookieDelivery extends TokenDelivery {
  checkSite: onRequestHookHandler
}

const inJson: TokenDelivery = {
  refreshSchema,
  logoutSchema,
  routeOptions: {},
  deliver: (_request, pair) => pair,
  read: (request) => (request.body as RefreshBody).refresh_token,
  replaced: () => null,
  forget () {},
  allowsRepeat: () => true,
  guardPages () {}
}

interface CookieSettings {
  /** The path prefix of the routes. */
  path: string
  /** Origins of other pages of the same site that may call, from the CORS options. */
  origins: readonly string[]
  refreshTtl: number
  now: () => number
}

/** The header with which a page asks for the cookie, by the value `cookie`, if the option is `'on-request'`. */
export const DELIVERY_HEADER = 'x-token-delivery'

/** Returns how refresh tokens travel: by the option `cookie` of the plugin. */
export function tokenDelivery (cookie: boolean | 'on-request', settings: CookieSettings): TokenDelivery {
  if (cookie === false) return inJson
  return cookie === 'on-request' ? asRequested(inCookie(settings)) : inCookie(settings)
}

function inCookie ({ path, origins, refreshTtl, now }: CookieSettings): CookieDelivery {
  const rules = { origins: new Set(origins), allowSameSite: false }
  const checkSite: onRequestHookHandler = function checkSite (request, reply, done) {
    const reason = foreignReason(request, rules)
    if (reason === null) done()
    else refuse(reply, new CSRF_FAILED({ reason }))
  }

  return {
    refreshSchema: cookieRefreshSchema,
    logoutSchema: cookieLogoutSchema,
    routeOptions: optionalBody,
    deliver (request, { refresh_token: value, ...reply }, endsAt) {
      setRefreshCookie(request, {
        value,
        path,
        maxAgeSeconds: Math.max(1, Math.floor(Math.min(refreshTtl, endsAt - now()) / 1000))
      })
      return reply
    },
    read: readRefreshCookie,
    replaced: readRefreshCookie,
    forget: (request) => setRefreshCookie(request, { value: '', path, maxAgeSeconds: 0 }),
    allowsRepeat: () => true,
    checkSite,
    guardPages: (scope) => { scope.addHook('onRequest', checkSite) }
  }
}

/** Uses the cookie for requests with the header, which pages of other sites cannot send without CORS, else JSON. */
function asRequested (cookie: CookieDelivery): TokenDelivery {
  const isAsked = ({ headers }: FastifyRequest) => headers[DELIVERY_HEADER] === 'cookie'
  const deliveryOf = (request: FastifyRequest) => isAsked(request) ? cookie : inJson
  const checkAsked: onRequestHookHandler = function checkAsked (request, reply, done) {
    if (isAsked(request)) cookie.checkSite.call(this, request, reply, done)
    else done()
  }

  return {
    refreshSchema: eitherRefreshSchema,
    logoutSchema: eitherLogoutSchema,
    routeOptions: optionalBody,
    deliver: (request, pair, endsAt) => deliveryOf(request).deliver(request, pair, endsAt),
    read (request) {
      const { refresh_token: token } = request.body as Partial<RefreshBody>
      if (isAsked(request) === (token !== undefined)) {
        throw new INVALID_REQUEST({
          message: `Send the refresh token in the body, or in the cookie with the header ${DELIVERY_HEADER}: cookie`
        })
      }
      return token ?? readRefreshCookie(request)
    },
    replaced: (request) => deliveryOf(request).replaced(request),
    forget (request) {
      if (isAsked(request) || readRefreshCookie(request) !== null) cookie.forget(request)
    },
    allowsRepeat: isAsked,
    guardPages: (scope) => { scope.addHook('onRequest', checkAsked) }
  }
}
