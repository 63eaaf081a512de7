import { LRUCache } from 'lru-cache'

const MAX_KEYS = 10_000
const WINDOW = 60_000

/** Says what is due once a minute for each key, such as a client: an upstream that refuses every call would otherwise cause it at each of them. */
export class OnceAMinute {
  readonly #done = new LRUCache<string, true>({ max: MAX_KEYS, ttl: WINDOW })

  isDue (key: string): boolean {
    if (this.#done.has(key)) return false
    this.#done.set(key, true)
    return true
  }
}
