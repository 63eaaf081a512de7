import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'

import { requestAddress } from '../../../lib/http/client-address.js'

const MAX_SESSIONS = 10_000
const INTERVAL = 900_000

/** Under which token what was forwarded for whom. */
export interface Forwarded {
  userId: string
  /** Of the token, the first 16 hex digits of its SHA-256. */
  digest: string
  details: Record<string, unknown>
}

interface Session extends Forwarded {
  /** Since its last entry. */
  requests: number
  notedAt: number
}

/**
 * Audits what was forwarded: an entry for the first call that goes under a token from an address, and further ones at most every 15 minutes, with
 * the number of calls since the one before. What is left is written when the app closes, or when more than 10 000 sessions are alive.
 */
export class ForwardTrail {
  readonly #app: FastifyInstance
  readonly #now: () => number
  readonly #sessions: LRUCache<string, Session>

  constructor (app: FastifyInstance, now: () => number) {
    this.#app = app
    this.#now = now
    this.#sessions = new LRUCache({ max: MAX_SESSIONS, dispose: (session) => { if (session.requests > 0) this.#write(session) } })
  }

  note (request: FastifyRequest, forwarded: Forwarded): void {
    const key = `${forwarded.digest} ${forwarded.userId} ${requestAddress(request)}`
    const known = this.#sessions.get(key)
    if (known === undefined) {
      this.#sessions.set(key, { ...forwarded, requests: 0, notedAt: this.#now() })
      this.#write({ ...forwarded, requests: 1 }, request)
      return
    }
    known.requests++
    const now = this.#now()
    // A clock that was set back must not silence it.
    if (now >= known.notedAt && now < known.notedAt + INTERVAL) return
    this.#write(known, request)
    known.requests = 0
    known.notedAt = now
  }

  /** Writes what is left. */
  end (): void {
    this.#sessions.clear()
  }

  #write ({ userId, digest, details, requests }: Forwarded & { requests: number }, request?: FastifyRequest): void {
    this.#app.audit({
      action: 'databrain_proxy.forwarded', request, userId, resourceType: 'guest_token', resourceId: digest, changes: { ...details, requests, outcome: 'granted' }
    })
  }
}
