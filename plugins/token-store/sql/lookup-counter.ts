import type { LookupCounts } from '../../../contracts/token-store/index.js'

/** Counts the look-ups of one cache, by the place that had the answer. */
export class LookupCounter implements LookupCounts {
  shared = 0
  database = 0
  #cache: { readonly hits: number } | null = null

  get process (): number {
    return this.#cache?.hits ?? 0
  }

  /** Sets the cache of this process, whose hits are counted. */
  of (cache: { readonly hits: number }): this {
    this.#cache = cache
    return this
  }

  /** Adds values that were found in Redis. */
  readonly found = (values: number): void => {
    this.shared += values
  }
}
