import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { signUserReference, verifyUserReference } from '../../signing/user-reference.js'

const NAME = 'gatehouse_demo'
const AUDIENCE = 'gatehouse-demo-session'
const LIFE = 12 * 3_600_000

/** The session of the start page: the selected user, in a signed cookie. */
export interface DemoSession {
  /** Returns the user of the request's cookie and its time of issue in epoch milliseconds, or `null`. */
  of(request: FastifyRequest): { user: string, since: number } | null
  start(reply: FastifyReply, user: string): void
}

/** `keys` is `[current, …previous]`. They also sign user references, which have another audience. */
export function demoSession (keys: readonly [string, ...string[]]): DemoSession {
  return {
    of ({ headers: { cookie } }) {
      const text = cookie === undefined ? undefined : parseCookie(cookie)[NAME]
      const session = text === undefined ? null : verifyUserReference(text, { keys, audience: AUDIENCE })
      return session === null ? null : { user: session.sub, since: session.iat }
    },
    start (reply, user) {
      const value = signUserReference({ sub: user }, { key: keys[0], audience: AUDIENCE, ttl: LIFE })
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
    }
  }
}
