import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { signUserReference, verifyUserReference } from '../../signing/user-reference.js'

const NAME = 'gatehouse_demo'
const AUDIENCE = 'gatehouse-demo-session'
const LIFE = 12 * 3_600_000

/** The demo page's session: who the visitor plays, in a signed cookie. */
export interface DemoSession {
  /** The user that the request's cookie names, and since when, epoch milliseconds; or `null`. */
  of (request: FastifyRequest): { user: string, since: number } | null
  start (reply: FastifyReply, user: string): void
}

/** `keys`: `[current, …previous]`, those of the user references, told apart by their audience. */
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
      reply.header('Set-Cookie', stringifySetCookie({ name: NAME, value, path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: LIFE / 1000 }))
    }
  }
}
