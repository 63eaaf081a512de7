import type { FastifyInstance, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'

import { atMost } from '../../../lib/at-most.js'
import { requestAddress } from '../../../lib/http/client-address.js'

const MAX_SESSIONS = 10_000
const INTERVAL = 900_000

/** The user, the token and the details of a forwarded call, for the audit trail. */
export interface Forwarded {
  userId: string
  /** The first 16 hex digits of the token's SHA-256. */
  digest: string
  details: Record<string, unknown>
}

interface Session extends Forwarded {
  /** Number of calls since the last entry. */
  requests: number
  notedAt: number
}

/**
 * Audits forwarded calls: one entry for the first call with a token from an address, and then at most one entry per 15
 * minutes, with the number of calls since the previous entry. Remaining counts are written when the app closes, and
 * when more than 10 000 sessions are tracked.
 */
export class ForwardTrail {
  readonly #app: FastifyInstance
  readonly #now: () => number
  readonly #sessions: LRUCache<string, Session>

  constructor (app: FastifyInstance, now: () => number) {
    this.#app = app
    this.#now = now
    this.#sessions = new LRUCache({
      ...atMost(MAX_SESSIONS),
      dispose: (session) => {
        if (session.requests > 0) this.#write(session)
      }
    })
  }

  record (request: FastifyRequest, forwarded: Forwarded): void {
    const key = `${forwarded.digest} ${forwarded.userId} ${requestAddress(request)}`
    const known = this.#sessions.get(key)
    if (known === undefined) {
      this.#sessions.set(key, { ...forwarded, requests: 0, notedAt: this.#now() })
      this.#write({ ...forwarded, requests: 1 }, request)
      return
    }
    known.requests++
    const now = this.#now()
    // A clock that was set back must not suppress entries.
    if (now >= known.notedAt && now < known.notedAt + INTERVAL) return
    this.#write(known, request)
    known.requests = 0
    known.notedAt = now
  }

  /** Writes the remaining counts. */
  flush (): void {
    this.#sessions.clear()
  }

  #write ({ userId, digest, details, requests }: Forwarded & { requests: number }, request?: FastifyRequest): void {
    this.#app.audit({
      action: 'databrain_proxy.forwarded',
      request,
      userId,
      resourceType: 'guest_token',
      resourceId: digest,
      changes: { ...details, requests, outcome: 'granted' }
    })
  }
}
