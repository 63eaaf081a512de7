import { randomUUID } from 'node:crypto'

import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { optionAssertion, refuseUnknownMembers } from '../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../lib/options.js'

export interface IdentityCookieOptions {
  /** Parent domain whose hosts share the cookie, such as `example.com`. Default: only the host of the request. */
  domain?: string
}

/** Returns the id in the browser's cookie. Without a cookie it creates an id and sets the cookie. */
export type GetVisitorId = (request: FastifyRequest, reply: FastifyReply) => string

export const IDENTITY_COOKIE = '_dfid'

const KNOWN: KnownOptions<IdentityCookieOptions> = { domain: true }
const assertOption: AssertOption = optionAssertion('ingestion')
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i
const MAX_AGE = 400 * 24 * 60 * 60

/** Returns the id in the `_dfid` cookie; `null` if there is no such cookie, or if its value is not a UUID v4. */
export function visitorIdIn (cookies: string | undefined): string | null {
  // Most requests do not send this cookie; the search avoids parsing their headers.
  if (cookies === undefined || !cookies.includes(IDENTITY_COOKIE)) return null
  const id = parseCookie(cookies)[IDENTITY_COOKIE]
  return id !== undefined && UUID.test(id) ? id : null
}

/**
 * Creates the function that reads or sets the `_dfid` cookie: HttpOnly, SameSite=Lax, 400 days, Secure on HTTPS.
 * Throws `INVALID_OPTIONS` for an unknown option or an invalid domain.
 */
export function identityCookie (options: IdentityCookieOptions): GetVisitorId {
  refuseUnknownMembers('ingestion', 'identityCookie.', options, KNOWN)
  const { domain } = options
  assertOption(
    domain === undefined || DOMAIN.test(domain),
    'identityCookie.domain',
    'a domain such as example.com',
    domain
  )
  const cookie = {
    name: IDENTITY_COOKIE,
    maxAge: MAX_AGE,
    path: '/',
    ...domain === undefined ? {} : { domain },
    httpOnly: true,
    sameSite: 'lax'
  } as const

  return function getVisitorId (request, reply) {
    const known = visitorIdIn(request.headers.cookie)
    if (known !== null) return known
    const fresh = randomUUID()
    reply.header('set-cookie', stringifySetCookie({ ...cookie, value: fresh, secure: request.protocol === 'https' }))
    return fresh
  }
}
