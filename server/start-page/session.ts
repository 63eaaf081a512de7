import { randomUUID } from 'node:crypto'

import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { signUserReference, verifyUserReference } from '../../signing/user-reference.js'

const NAME = 'gatehouse_demo'
const AUDIENCE = 'gatehouse-demo-session'
const LIFE = 12 * 3_600_000

export interface Visit {
  id: string
  user: string
  /** When the session was created, in epoch milliseconds. */
  since: number
}

/** The session of the start page: the selected user, in a signed cookie. */
export interface DemoSession {
  /** Returns the session of the request's cookie, or `null`. */
  of(request: FastifyRequest): Visit | null
  /** Sets the cookie of a new session and returns the session. */
  start(reply: FastifyReply, user: string): Visit
}

/** `keys` is `[current, …previous]`. They also sign user references, which have another audience. */
export function demoSession (keys: readonly [string, ...string[]]): DemoSession {
  return {
    of ({ headers: { cookie } }) {
      const text = cookie === undefined ? undefined : parseCookie(cookie)[NAME]
      const session = text === undefined ? null : verifyUserReference(text, { keys, audience: AUDIENCE })
      const id = session?.['session']
      return session === null || typeof id !== 'string' ? null : { id, user: session.sub, since: session.iat }
    },
    start (reply, user) {
      const visit = { id: randomUUID(), user, since: Date.now() }
      const claims = { sub: user, session: visit.id }
      const value = signUserReference(claims, { key: keys[0], audience: AUDIENCE, ttl: LIFE, now: visit.since })
      const secure = reply.request.protocol === 'https'
      reply.header(
        'Set-Cookie',
        stringifySetCookie({
          name: NAME,
          value,
          path: '/',
          httpOnly: true,
          sameSite: 'lax',
          secure,
          maxAge: LIFE / 1000
        })
      )
      return visit
    }
  }
}
