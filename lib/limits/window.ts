import { LRUCache } from 'lru-cache'

import { atMost } from '../at-most.js'

const MAX_KEYS = 5_000

interface Window {
  count: number
  startedAt: number
}
type Callback = (error: Error | null, result: { current: number, ttl: number }) => void

/**
 * Counts requests of this process in time windows, for `@fastify/rate-limit`. The plugin's own store returns a shared
 * object that later requests change before it is read, so that a burst is refused as a whole, and uses the wall clock,
 * so that setting it back refuses all clients until it has caught up.
 */
export class WindowStore {
  readonly #windows: LRUCache<string, Window>

  /** @param options the options of `@fastify/rate-limit`; `cache` limits the number of keys */
  constructor (options: object = {}) {
    const max = 'cache' in options && typeof options.cache === 'number' ? options.cache : MAX_KEYS
    this.#windows = new LRUCache(atMost(max))
  }

  incr (key: string, callback: Callback, timeWindow: number): void {
    const now = performance.now()
    let window = this.#windows.get(key)
    if (window === undefined || window.startedAt + timeWindow <= now) {
      window = { count: 0, startedAt: now }
      this.#windows.set(key, window)
    }
    callback(null, { current: ++window.count, ttl: Math.ceil(window.startedAt + timeWindow - now) })
  }

  child (options: object): WindowStore {
    return new WindowStore(options)
  }
}
