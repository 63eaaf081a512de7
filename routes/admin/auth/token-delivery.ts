import type { FastifyInstance, FastifyRequest, onRequestHookHandler } from 'fastify'

import { CSRF_FAILED } from '../../../lib/errors.js'
import { refuse } from '../../../lib/refuse.js'
import { foreignReason } from '../../../lib/http/site-check.js'
import {
  cookieLogoutSchema, cookieRefreshSchema, logoutSchema,
  refreshSchema
} from '../../../schemas/admin-auth.js'
import type { RefreshBody, TokenPair, TokenReply } from '../../../schemas/admin-auth.js'
import { readRefreshCookie, setRefreshCookie } from '../refresh-cookie.js'
import { optionalBody } from '../request.js'

/** How refresh tokens travel: in JSON, or in a cookie that scripts of the page cannot read. */
export interface TokenDelivery {
  readonly refreshSchema: typeof refreshSchema | typeof cookieRefreshSchema
  readonly logoutSchema: typeof logoutSchema | typeof cookieLogoutSchema
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
  /** Refuses requests of pages of other sites with 403 `CSRF_FAILED`, on the routes that read or set the cookie. */
  guardPages (scope: FastifyInstance): void
}

const inJson: TokenDelivery = {
  refreshSchema,
  logoutSchema,
  routeOptions: {},
  deliver: (_request, pair) => pair,
  read: (request) => (request.body as RefreshBody).refresh_token,
  replaced: () => null,
  forget () {},
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

/** Returns how refresh tokens travel; `null` for JSON. */
export function tokenDelivery (cookie: CookieSettings | null): TokenDelivery {
  if (cookie === null) return inJson
  const { path, refreshTtl, now } = cookie
  const rules = { origins: new Set(cookie.origins), allowSameSite: false }
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
    guardPages: (scope) => { scope.addHook('onRequest', checkSite) }
  }
}
