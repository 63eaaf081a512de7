import type { FastifyRequest } from 'fastify'

import type { UserReference, UserReferenceClaims } from '../signing/user-reference.js'
import type { DemoSession } from './start-page/session.js'

export interface EmbedUserOptions {
  /** The user of the request's identity token; `null`: no identity provider is configured. */
  identified: IdentifiedUserOf | null
  /** The session of the start page; `null`: there is no start page. */
  session: DemoSession | null
  /** The user if neither a user reference, nor an identity token, nor a session exists; `null`: no user. */
  fallback: string | null
}

export interface EmbedUser {
  id: string
  /** The tenant, as the identity provider names it. */
  tenant?: string
  /**
   * When the user was authenticated, in epoch milliseconds. Embeds issued before a revocation's cut-off are refused.
   */
  issuedAt?: number
}

/** Synchronous unless it must verify an identity token. */
export type EmbedUserOf = (request: FastifyRequest) => EmbedUser | null | Promise<EmbedUser | null>

/** Returns the end user whom the identity token of a request names, or `null` without a token. */
export type IdentifiedUserOf = (request: FastifyRequest) => Promise<EmbedUser | null>

/** The claim of a user reference that was issued for an identity token. */
const IDENTITY = 'gatehouse_identity'

/**
 * Determines the end user of an embedding request: from the user reference, else the identity token, else the session,
 * else the fallback.
 */
export function embedUser ({ identified, session, fallback }: EmbedUserOptions): EmbedUserOf {
  return (request) => {
    const { userReference } = request
    if (userReference !== null) return userOfReference(userReference)
    if (identified === null) return withoutToken(request)
    return identified(request).then((user) => user ?? withoutToken(request))
  }

  function withoutToken (request: FastifyRequest): EmbedUser | null {
    const demoUser = session?.of(request) ?? null
    if (demoUser !== null) return { id: demoUser.user, issuedAt: demoUser.since }
    return fallback === null ? null : { id: fallback }
  }
}

/** Returns the claims of a user reference for the user of an identity token. `userOfReference` reads them. */
export function claimsOfIdentified (user: EmbedUser): UserReferenceClaims {
  const { id, ...identity } = user
  return { sub: id, [IDENTITY]: identity }
}

function userOfReference ({ sub, iat, [IDENTITY]: identity }: UserReference): EmbedUser {
  // Only this server has the keys of references.
  const { tenant, issuedAt = iat } = (identity ?? {}) as Omit<EmbedUser, 'id'>
  return tenant === undefined ? { id: sub, issuedAt } : { id: sub, issuedAt, tenant }
}
