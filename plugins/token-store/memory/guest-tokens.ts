import { LRUCache } from 'lru-cache'

import { atMost } from '../../../lib/at-most.js'
import { MAX_MINT_TIME } from '../limits.js'
import type { GuestToken, GuestTokens } from '../../../contracts/token-store/index.js'

const MAX_ENTRIES = 10_000

export class MemoryGuestTokens implements GuestTokens {
  readonly #now: () => number
  /** An LRU cache: an evicted token only costs one more request for it. */
  readonly #entries = new LRUCache<string, GuestToken>(atMost(MAX_ENTRIES))
  /** When each client was last invalidated, for token requests that were in flight then. */
  readonly #invalidated = new Map<string, number>()

  constructor (now: () => number) {
    this.#now = now
  }

  get (key: string): GuestToken | null {
    const entry = this.#entries.get(key)
    return entry === undefined || entry.expiresAt <= this.#now() ? null : { ...entry }
  }

  async set (key: string, entry: GuestToken): Promise<void> {
    const invalidatedAt = this.#invalidated.get(entry.clientId)
    if (invalidatedAt !== undefined && invalidatedAt >= entry.mintedAt) return
    const known = this.#entries.get(key)
    if (known === undefined || known.mintedAt <= entry.mintedAt) this.#entries.set(key, { ...entry })
  }

  async invalidate ({ clientId }: { clientId: string }): Promise<void> {
    this.#invalidated.set(clientId, this.#now())
    for (const [key, entry] of Array.from(this.#entries.entries())) {
      if (entry.clientId === clientId) this.#entries.delete(key)
    }
  }

  sweep (): void {
    const now = this.#now()
    for (const [key, entry] of Array.from(this.#entries.entries())) {
      if (entry.expiresAt <= now) this.#entries.delete(key)
    }
    for (const [clientId, at] of this.#invalidated) {
      if (at < now - MAX_MINT_TIME) this.#invalidated.delete(clientId)
    }
  }
}
