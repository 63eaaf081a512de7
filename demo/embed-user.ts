import type { FastifyRequest } from 'fastify'

import type { DemoSession } from './demo-session.js'

export interface EmbedUserOptions {
  /** The demo page's session; `null` where there is no demo page. */
  session: DemoSession | null
  /** Who it is when nothing else says so; `null`: nobody. */
  fallback: string | null
}

/** Who the end user of an embedding request is: whom a user reference names, else the demo page's session, else the fallback. */
export function embedUser ({ session, fallback }: EmbedUserOptions): (request: FastifyRequest) => string | null {
  return (request) => request.userReference?.sub ?? session?.userOf(request) ?? fallback
}
