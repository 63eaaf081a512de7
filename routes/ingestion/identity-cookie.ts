import { randomUUID } from 'node:crypto'

import type { FastifyReply, FastifyRequest } from 'fastify'

import { INVALID_OPTIONS } from '../../plugins/errors.js'
import { refuseUnknownMembers } from '../../plugins/known-options.js'
import type { KnownOptions } from '../../plugins/known-options.js'

export interface IdentityCookieOptions {
  /** The parent domain whose hosts share the cookie, such as `example.com`. Default: the host that was asked alone. */
  domain?: string
}

/** Knows a browser again: the id in its cookie, which is made and set where there is none. */
export type Visitor = (request: FastifyRequest, reply: FastifyReply) => string

export const IDENTITY_COOKIE = '_dfid'

const KNOWN: KnownOptions<IdentityCookieOptions> = { domain: true }
const PRESENT = /(?:^|;)\s*_dfid=([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\s*(?:;|$)/
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i
const MAX_AGE = 400 * 24 * 60 * 60

/** The id in the cookie; `null` if there is none, or none that we made. */
export function visitorIn (cookies: string | undefined): string | null {
  return cookies === undefined ? null : PRESENT.exec(cookies)?.[1] ?? null
}

/** Reads or sets the cookie: HttpOnly, SameSite=Lax, 400 days, Secure on HTTPS. */
export function identityCookie (options: IdentityCookieOptions): Visitor {
  refuseUnknownMembers('ingestion', 'identityCookie.', options, KNOWN)
  const { domain } = options
  if (domain !== undefined && !DOMAIN.test(domain)) throw new INVALID_OPTIONS('ingestion: "identityCookie.domain" must be a domain such as example.com')
  const attributes = `; Max-Age=${MAX_AGE}; Path=/${domain === undefined ? '' : `; Domain=${domain}`}; HttpOnly; SameSite=Lax`

  return function visitor (request, reply) {
    const known = visitorIn(request.headers.cookie)
    if (known !== null) return known
    const fresh = randomUUID()
    reply.header('set-cookie', `${IDENTITY_COOKIE}=${fresh}${attributes}${request.protocol === 'https' ? '; Secure' : ''}`)
    return fresh
  }
}
