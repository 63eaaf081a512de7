import { LRUCache } from 'lru-cache'

import { atMost } from '../../../lib/at-most.js'

const MAX_KEYS = 10_000
const WINDOW = 60_000

/**
 * Allows an action once per minute and key, because an upstream that refuses each call would otherwise trigger it each
 * time.
 */
export class OnceAMinute {
  readonly #done = new LRUCache<string, true>({ ...atMost(MAX_KEYS), ttl: WINDOW })

  isDue (key: string): boolean {
    if (this.#done.has(key)) return false
    this.#done.set(key, true)
    return true
  }
}
