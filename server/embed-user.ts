import type { FastifyRequest } from 'fastify'

import type { DemoSession } from './start-page/session.js'

export interface EmbedUserOptions {
  /** The session of the start page; `null`: there is no start page. */
  session: DemoSession | null
  /** The user if neither a user reference nor a session exists; `null`: no user. */
  fallback: string | null
}

export interface EmbedUser {
  id: string
  /**
   * When the user was authenticated, in epoch milliseconds. Embeds issued before a revocation's cut-off are refused.
   */
  issuedAt?: number
}

export type EmbedUserOf = (request: FastifyRequest) => EmbedUser | null

/** Determines the end user of an embedding request: from the user reference, else the session, else the fallback. */
export function embedUser ({ session, fallback }: EmbedUserOptions): EmbedUserOf {
  return (request) => {
    const { userReference } = request
    if (userReference !== null) return { id: userReference.sub, issuedAt: userReference.iat }
    const demoUser = session?.of(request) ?? null
    if (demoUser !== null) return { id: demoUser.user, issuedAt: demoUser.since }
    return fallback === null ? null : { id: fallback }
  }
}
