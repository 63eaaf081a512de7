import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Browsers store a cookie of this name only with the Secure attribute, from https or from the own machine. */
export const REFRESH_COOKIE = '__Secure-gatehouse-refresh'

const key: unique symbol = Symbol('gatehouse refresh cookie')
type Holder = FastifyRequest & { [key]: string | null }

/** Adds the cookie of `setRefreshCookie` to the responses of the scope. */
export function sendRefreshCookies (scope: FastifyInstance): void {
  scope.decorateRequest(key, null)
  scope.addHook('onSend', function sendRefreshCookie (request, reply, payload, done) {
    const cookie = (request as Holder)[key]
    if (cookie !== null) reply.header('Set-Cookie', cookie)
    done(null, payload)
  })
}

/**
 * Sets the refresh cookie in the response to a request of an admin plugin, whichever plugin started the session.
 * `maxAgeSeconds` 0 deletes the cookie.
 *
 * @param path the path prefix to which browsers send the cookie
 */
export function setRefreshCookie (
  request: FastifyRequest,
  { value, path, maxAgeSeconds }: { value: string, path: string, maxAgeSeconds: number }
): void {
  ;(request as Holder)[key] = stringifySetCookie({
    name: REFRESH_COOKIE,
    value,
    path,
    maxAge: maxAgeSeconds,
    httpOnly: true,
    sameSite: 'strict',
    secure: true
  })
}

/**
 * Returns the refresh token in the cookie of a request; `null` without one. Two cookies of the name with different
 * values give `null` too: a page of a neighbouring subdomain may have set the second.
 */
export function readRefreshCookie ({ headers: { cookie } }: FastifyRequest): string | null {
  if (cookie === undefined) return null
  const values = new Set(
    cookie.split(';').map((part) => parseCookie(part)[REFRESH_COOKIE]).filter((value) => value !== undefined)
  )
  const [value, ...rest] = values
  return value === undefined || value === '' || rest.length > 0 ? null : value
}
