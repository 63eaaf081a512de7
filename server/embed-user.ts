import type { FastifyRequest } from 'fastify'

import type { DemoSession } from './start-page/session.js'

export interface EmbedUserOptions {
  /** The demo page's session; `null` where there is no demo page. */
  session: DemoSession | null
  /** Who it is when nothing else says so; `null`: nobody. */
  fallback: string | null
}

export interface EmbedUser {
  id: string
  /** Since when, epoch milliseconds; left out where nothing says it. What was issued before a cut-off is refused. */
  issuedAt?: number
}

export type EmbedUserOf = (request: FastifyRequest) => EmbedUser | null

/** Who the end user of an embedding request is: whom a user reference names, else the demo page's session, else the fallback. */
export function embedUser ({ session, fallback }: EmbedUserOptions): EmbedUserOf {
  return (request) => {
    const { userReference } = request
    if (userReference !== null) return { id: userReference.sub, issuedAt: userReference.iat }
    const own = session?.of(request) ?? null
    if (own !== null) return { id: own.user, issuedAt: own.since }
    return fallback === null ? null : { id: fallback }
  }
}
