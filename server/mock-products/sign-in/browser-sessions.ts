import { randomUUID } from 'node:crypto'

import { parseCookie, stringifySetCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { secretForThisRun } from '../mock-product.js'
import type { Person } from './people.js'

/** A session ends at the latest this long after the sign-in, in milliseconds. */
export const SESSION_AGE = 8 * 3_600_000
const MOST_SESSIONS = 1_000

/** A session of a person's browser at an identity provider. */
export interface ProviderSession {
  /** The public identifier: `sid` of OpenID Connect, `SessionIndex` of SAML. The cookie has another value. */
  readonly id: string
  readonly person: Person
  /** When the person last signed in, in epoch milliseconds. */
  authTime: number
}

/** The sessions of browsers at one provider. At most 1 000; the oldest is removed first. */
export class BrowserSessions {
  readonly #sessions = new Map<string, ProviderSession>()
  readonly #cookie: string
  readonly #now: () => number

  /** @param cookie the name of the cookie; servers on one host share their cookies, whatever their ports */
  constructor (cookie: string, now: () => number) {
    this.#cookie = cookie
    this.#now = now
  }

  /** Returns the session of the browser that sent a request. */
  find (request: FastifyRequest): ProviderSession | null {
    const session = this.#sessions.get(this.#secretOf(request))
    return session !== undefined && this.isLive(session) ? session : null
  }

  /**
   * Signs a person in. The session of the same person continues with a new `authTime`; the session of another person in
   * this browser ends and is returned as `replaced`.
   */
  signIn (
    request: FastifyRequest,
    reply: FastifyReply,
    person: Person
  ): { session: ProviderSession, replaced: ProviderSession | null } {
    const former = this.find(request)
    this.#sessions.delete(this.#secretOf(request))
    const continues = former !== null && former.person.id === person.id
    const session = continues ? former : { id: randomUUID(), person, authTime: 0 }
    session.authTime = this.#now()
    const [oldest] = this.#sessions.size >= MOST_SESSIONS ? this.#sessions.keys() : []
    if (oldest !== undefined) this.#sessions.delete(oldest)
    const secret = secretForThisRun()
    this.#sessions.set(secret, session)
    reply.header('Set-Cookie', stringifySetCookie({
      name: this.#cookie,
      value: secret,
      path: '/',
      httpOnly: true,
      sameSite: 'lax'
    }))
    return { session, replaced: continues ? null : former }
  }

  isLive (session: ProviderSession): boolean {
    return this.#now() - session.authTime < SESSION_AGE && [...this.#sessions.values()].includes(session)
  }

  /** Returns the live sessions of a person, in all browsers. */
  ofPerson (id: string): ProviderSession[] {
    return [...this.#sessions.values()].filter((session) => session.person.id === id && this.isLive(session))
  }

  end (...ended: readonly ProviderSession[]): void {
    for (const [secret, session] of this.#sessions) if (ended.includes(session)) this.#sessions.delete(secret)
  }

  #secretOf ({ headers: { cookie = '' } }: FastifyRequest): string {
    return parseCookie(cookie)[this.#cookie] ?? ''
  }
}
