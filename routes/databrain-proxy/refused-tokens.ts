import { LRUCache } from 'lru-cache'

const MAX_CLIENTS = 10_000
const WINDOW = 60_000

/**
 * Says when a guest token that the upstream refused is to be dropped: once a minute for each client. An upstream that refuses every token would
 * otherwise be asked for a new one at each call.
 */
export class RefusedTokens {
  readonly #dropped = new LRUCache<string, true>({ max: MAX_CLIENTS, ttl: WINDOW })

  isToDrop (clientId: string): boolean {
    if (this.#dropped.has(clientId)) return false
    this.#dropped.set(clientId, true)
    return true
  }
}
