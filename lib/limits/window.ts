import { LRUCache } from 'lru-cache'

const MAX_KEYS = 5_000

interface Window { count: number, startedAt: number }
type Callback = (error: Error | null, result: { current: number, ttl: number }) => void

/**
 * Counts requests of this process in windows of time, for `@fastify/rate-limit`. Its own store hands out one object per key that later
 * requests change before it is read, so that of a burst every request is refused rather than what is too much; and it goes by the wall
 * clock, so that a clock that is set back refuses everyone until it has caught up.
 */
export class WindowStore {
  readonly #windows: LRUCache<string, Window>

  /** @param options those of `@fastify/rate-limit`, of which `cache` bounds the number of keys */
  constructor (options: object = {}) {
    this.#windows = new LRUCache({ max: 'cache' in options && typeof options.cache === 'number' ? options.cache : MAX_KEYS })
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
