import { LRUCache } from 'lru-cache'

import { atMost } from './at-most.js'
import { refuseUnknownMembers } from './options.js'
import type { KnownOptions } from './options.js'

/** Options of `LookupCache`. */
export interface LookupCacheOptions<Value> {
  /** Loads the value of a key from the backend; `null` for an unknown key. */
  load: (key: string) => Promise<Value | null>
  /** Loads several keys at once, in their order, for `getMany`. Default: `load` for each key. */
  loadMany?: (keys: readonly string[]) => Promise<ReadonlyArray<Value | null>>
  /** How long a value is served from the cache, milliseconds, at most 5 000. Default: 1 000. */
  ttl?: number
  /** How long an unknown key is cached, milliseconds, at most 5 000. Default: same as `ttl`. */
  missTtl?: number
  /** Maximum age of a value while loading fails, milliseconds, at most 5 000. Default: 5 000; 0 with a `ttl` of 0. */
  limit?: number
  /** Age of a value when `load` returns it, milliseconds. Default: 0. */
  ageOf?: (value: Value) => number
  /** When a value expires by itself, epoch milliseconds, even within its `ttl`. Default: never. */
  endsAt?: (value: Value) => number
  /** Maximum number of values; the least recently used is evicted. Default: 10 000. */
  maxValues?: number
  /** Maximum number of unknown keys; kept separately, so that guessing keys evicts no values. Default: 10 000. */
  maxMisses?: number
  /** The clock, epoch milliseconds. Default: a monotonic clock for ages, `Date.now` for expiry. */
  now?: (() => number) | undefined
}

interface Entry<Value> {
  value: Value
  /** When the look-up began. */
  loadedAt: number
  /** When the value was last known to be current: `loadedAt` minus its age then. */
  bornAt: number
}
interface Lookup<Value> {
  outdated: boolean
  result: Promise<Value | null>
}

/** Maximum time until a change is seen, milliseconds, even while look-ups fail. */
export const MAX_AGE = 5_000

const KNOWN: KnownOptions<LookupCacheOptions<unknown>> = {
  load: true,
  loadMany: true,
  ttl: true,
  missTtl: true,
  limit: true,
  ageOf: true,
  endsAt: true,
  maxValues: true,
  maxMisses: true,
  now: true
}
const monotonic = () => performance.now()

/**
 * Caches look-ups by key for a short time. Concurrent misses of one key share one look-up. A look-up that fails, or
 * whose key is invalidated while it is in flight, is not cached; its callers still receive its result.
 *
 * @example
 * const cache = new LookupCache({ load: (key) => database.find(key), ttl: 1_000 })
 * const value = await cache.get('a') // `null` for an unknown key
 */
export class LookupCache<Value extends object> {
  readonly #load: (key: string) => Promise<Value | null>
  readonly #loadMany: (keys: readonly string[]) => Promise<ReadonlyArray<Value | null>>
  readonly #ageOf: (value: Value) => number
  readonly #endsAt: ((value: Value) => number) | undefined
  readonly #ttl: number
  readonly #missTtl: number
  readonly #limit: number
  readonly #now: () => number
  readonly #clock: () => number
  readonly #values: LRUCache<string, Entry<Value>>
  /** When each key was found missing. */
  readonly #misses: LRUCache<string, number>
  readonly #inFlight = new Map<string, Lookup<Value>>()
  #hits = 0

  constructor (options: LookupCacheOptions<Value>) {
    refuseUnknownMembers('LookupCache', '', options, KNOWN)
    const { load, loadMany, ageOf = () => 0, endsAt, maxValues = 10_000, maxMisses = 10_000, now } = options
    const { ttl = 1_000, missTtl = ttl, limit = ttl === 0 ? 0 : MAX_AGE } = options
    for (const [name, age] of Object.entries({ ttl, missTtl, limit })) {
      if (!(age >= 0 && age <= MAX_AGE)) {
        throw new RangeError(`lookup cache: "${name}" must be 0 to ${MAX_AGE} milliseconds`)
      }
    }
    this.#load = load
    this.#loadMany = loadMany ?? ((keys) => Promise.all(keys.map(load)))
    this.#ageOf = ageOf
    this.#endsAt = endsAt
    this.#ttl = ttl
    this.#missTtl = missTtl
    this.#limit = limit
    this.#now = now ?? Date.now
    this.#clock = now ?? monotonic
    this.#values = new LRUCache(atMost(maxValues))
    this.#misses = new LRUCache(atMost(maxMisses))
  }

  /** Number of look-ups by `get` and `getMany` that called no loader: cached, or joined to a look-up in flight. */
  get hits (): number {
    return this.#hits
  }

  /** Returns the value synchronously on a cache hit, else a promise that rejects if `load` does. */
  get (key: string): Value | null | Promise<Value | null> {
    const known = this.peek(key)
    const found = known === undefined ? this.#inFlight.get(key)?.result : known
    if (found === undefined) return this.#lookUp(key, Promise.resolve(key).then(this.#load))
    this.#hits++
    return found
  }

  /** Returns the values of several keys, in their order: synchronously if all are cached. The others load together. */
  getMany (keys: readonly string[]): ReadonlyArray<Value | null> | Promise<ReadonlyArray<Value | null>> {
    const clock = this.#clock()
    const known = keys.map((key) => this.#peekAt(key, clock))
    this.#hits += keys.length
    if (!known.includes(undefined)) return known as Array<Value | null>
    const unknown = [...new Set(keys.filter((key, at) => known[at] === undefined && !this.#inFlight.has(key)))]
    this.#hits -= unknown.length
    if (unknown.length > 0) {
      const loading = Promise.resolve(unknown).then(this.#loadMany)
      for (const [at, key] of unknown.entries()) this.#lookUp(key, loading.then((values) => values[at] ?? null))
    }
    return Promise.all(keys.map((key, at) =>
      known[at] === undefined ? this.#inFlight.get(key)?.result ?? this.get(key) : known[at]
    ))
  }

  /** Returns the cached value of a key, `null` for a cached miss, `undefined` if the key is not cached. */
  peek (key: string): Value | null | undefined {
    return this.#peekAt(key, this.#clock())
  }

  #peekAt (key: string, clock: number): Value | null | undefined {
    const entry = this.#values.get(key)
    if (entry !== undefined) return this.#isCurrent(entry, clock) ? entry.value : undefined
    const missedAt = this.#misses.get(key)
    return missedAt !== undefined && clock - missedAt < this.#missTtl ? null : undefined
  }

  /** Removes one key. */
  invalidate (key: string): void {
    this.#values.delete(key)
    this.#misses.delete(key)
    this.#outdate(key)
  }

  /** Removes the matching values. Look-ups in flight may match, so none of them is cached. */
  invalidateWhere (matches: (value: Value) => boolean): void {
    for (const [key, { value }] of Array.from(this.#values.entries())) if (matches(value)) this.#values.delete(key)
    for (const key of this.#inFlight.keys()) this.#outdate(key)
  }

  /** Removes all cached misses. Look-ups in flight may be misses, so none of them is cached. */
  clearMisses (): void {
    this.#misses.clear()
    for (const key of this.#inFlight.keys()) this.#outdate(key)
  }

  /** Removes everything. */
  clear (): void {
    this.#values.clear()
    this.#misses.clear()
    for (const key of this.#inFlight.keys()) this.#outdate(key)
  }

  #lookUp (key: string, loading: Promise<Value | null>): Promise<Value | null> {
    const startedAt = this.#clock()
    const lookup: Lookup<Value> = {
      outdated: false,
      result: loading.then(
        (value) => {
          this.#settle(key, lookup)
          if (!lookup.outdated) this.#store(key, value, startedAt)
          return value
        },
        (error: unknown) => {
          this.#settle(key, lookup)
          const stale = lookup.outdated ? undefined : this.#values.get(key)
          if (stale === undefined || this.#clock() - stale.bornAt >= this.#limit || this.#hasExpired(stale.value)) {
            throw error
          }
          return stale.value
        }
      )
    }
    this.#inFlight.set(key, lookup)
    return lookup.result
  }

  /** The age counts from the start of the look-up, as the value may have changed since. */
  #store (key: string, value: Value | null, startedAt: number): void {
    if (value === null) {
      this.#values.delete(key)
      this.#misses.set(key, startedAt)
    } else {
      this.#misses.delete(key)
      this.#values.set(key, { value, loadedAt: startedAt, bornAt: startedAt - this.#ageOf(value) })
    }
  }

  #settle (key: string, lookup: Lookup<Value>): void {
    if (this.#inFlight.get(key) === lookup) this.#inFlight.delete(key)
  }

  #outdate (key: string): void {
    const lookup = this.#inFlight.get(key)
    if (lookup !== undefined) lookup.outdated = true
    this.#inFlight.delete(key)
  }

  #isCurrent ({ value, loadedAt, bornAt }: Entry<Value>, clock: number): boolean {
    return clock - loadedAt < this.#ttl && clock - bornAt < MAX_AGE && !this.#hasExpired(value)
  }

  #hasExpired (value: Value): boolean {
    return this.#endsAt !== undefined && this.#endsAt(value) <= this.#now()
  }
}
