import { LRUCache } from 'lru-cache'

import { refuseUnknownMembers } from './options.js'
import type { KnownOptions } from './options.js'

export interface LookupCacheOptions<Value> {
  /** Looks a key up where it is kept; `null` for one that is not there. */
  load: (key: string) => Promise<Value | null>
  /** Looks several keys up at once, in their order, for `getMany`. Default: `load` for each. */
  loadMany?: (keys: readonly string[]) => Promise<ReadonlyArray<Value | null>>
  /** How long a value is served without looking again, milliseconds, at most 5 000. Default: 1 000. */
  ttl?: number
  /** How long a miss is remembered, milliseconds, at most 5 000. Default: as `ttl`. */
  missTtl?: number
  /** How old a value may become while looking again fails, milliseconds, at most 5 000. Default: 5 000; 0 with a `ttl` of 0. */
  limit?: number
  /** How old a value already is when `load` gives it, milliseconds. Default: not at all. */
  ageOf?: (value: Value) => number
  /** When a value ends by itself whatever the time to live, epoch milliseconds. Default: never. */
  endsAt?: (value: Value) => number
  /** How many values are held; the least used makes room. Default: 10 000. */
  maxValues?: number
  /** How many misses are held, apart from the values, so that guessing keys evicts none of them. Default: 10 000. */
  maxMisses?: number
  /** The clock, epoch milliseconds. Default: ages by a clock that nobody sets, ends by `Date.now`. */
  now?: (() => number) | undefined
}

interface Entry<Value> {
  value: Value
  /** When it was looked up. */
  loadedAt: number
  /** When it was as it is for certain. */
  bornAt: number
}
interface Lookup<Value> { outdated: boolean, result: Promise<Value | null> }

/** No change may take longer than this to be seen, whatever has failed. */
export const MAX_AGE = 5_000

const KNOWN: KnownOptions<LookupCacheOptions<unknown>> = {
  load: true, loadMany: true, ttl: true, missTtl: true, limit: true, ageOf: true, endsAt: true, maxValues: true, maxMisses: true, now: true
}
const monotonic = () => performance.now()

/**
 * Look-ups by key, remembered for a short time. Concurrent misses of one key share one look-up; one that was under way when its
 * key was invalidated answers those who waited for it, and is not remembered; nor is one that failed.
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
  readonly #underWay = new Map<string, Lookup<Value>>()

  constructor (options: LookupCacheOptions<Value>) {
    refuseUnknownMembers('LookupCache', '', options, KNOWN)
    const { load, loadMany, ageOf = () => 0, endsAt, maxValues = 10_000, maxMisses = 10_000, now } = options
    const { ttl = 1_000, missTtl = ttl, limit = ttl === 0 ? 0 : MAX_AGE } = options
    for (const [name, age] of Object.entries({ ttl, missTtl, limit })) {
      if (!(age >= 0 && age <= MAX_AGE)) throw new RangeError(`lookup cache: "${name}" must be 0 to ${MAX_AGE} milliseconds`)
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
    this.#values = new LRUCache({ max: maxValues })
    this.#misses = new LRUCache({ max: maxMisses })
  }

  /** At once from the cache, else by a promise, which rejects as `load` does. */
  get (key: string): Value | null | Promise<Value | null> {
    const known = this.peek(key)
    return known === undefined ? this.#underWay.get(key)?.result ?? this.#look(key, Promise.resolve(key).then(this.#load)) : known
  }

  /** Several keys, in their order: at once if all of them are in the cache. The others are looked up together. */
  getMany (keys: readonly string[]): ReadonlyArray<Value | null> | Promise<ReadonlyArray<Value | null>> {
    const known = keys.map((key) => this.peek(key))
    if (known.every((value) => value !== undefined)) return known
    const unknown = [...new Set(keys.filter((key, at) => known[at] === undefined && !this.#underWay.has(key)))]
    if (unknown.length > 0) {
      const loading = Promise.resolve(unknown).then(this.#loadMany)
      for (const [at, key] of unknown.entries()) this.#look(key, loading.then((values) => values[at] ?? null))
    }
    return Promise.all(keys.map((key, at) => known[at] === undefined ? this.get(key) : known[at]))
  }

  /** What is remembered of a key: its value, `null` for a miss, `undefined` if it would have to be looked up. */
  peek (key: string): Value | null | undefined {
    const clock = this.#clock()
    const entry = this.#values.get(key)
    if (entry !== undefined) return this.#isFresh(entry, clock) ? entry.value : undefined
    const missedAt = this.#misses.get(key)
    return missedAt !== undefined && clock - missedAt < this.#missTtl ? null : undefined
  }

  /** Forgets one key. */
  invalidate (key: string): void {
    this.#values.delete(key)
    this.#misses.delete(key)
    this.#outdate(key)
  }

  /** Forgets the values that match. What is under way is not known yet: none of it will be remembered. */
  invalidateWhere (matches: (value: Value) => boolean): void {
    for (const [key, { value }] of Array.from(this.#values.entries())) if (matches(value)) this.#values.delete(key)
    for (const key of this.#underWay.keys()) this.#outdate(key)
  }

  /** Forgets which keys were missing. What is under way may be missing too: none of it will be remembered. */
  clearMisses (): void {
    this.#misses.clear()
    for (const key of this.#underWay.keys()) this.#outdate(key)
  }

  /** Forgets everything. */
  clear (): void {
    this.#values.clear()
    this.#misses.clear()
    for (const key of this.#underWay.keys()) this.#outdate(key)
  }

  #look (key: string, loading: Promise<Value | null>): Promise<Value | null> {
    const startedAt = this.#clock()
    const lookup: Lookup<Value> = {
      outdated: false,
      result: loading.then(
        (value) => {
          this.#settle(key, lookup)
          if (!lookup.outdated) this.#remember(key, value, startedAt)
          return value
        },
        (error: unknown) => {
          this.#settle(key, lookup)
          const stale = lookup.outdated ? undefined : this.#values.get(key)
          if (stale === undefined || this.#clock() - stale.bornAt >= this.#limit || this.#hasEnded(stale.value)) throw error
          return stale.value
        }
      )
    }
    this.#underWay.set(key, lookup)
    return lookup.result
  }

  /** Its age counts from when the look-up began: the value may have changed any time since. */
  #remember (key: string, value: Value | null, startedAt: number): void {
    if (value === null) {
      this.#values.delete(key)
      this.#misses.set(key, startedAt)
    } else {
      this.#misses.delete(key)
      this.#values.set(key, { value, loadedAt: startedAt, bornAt: startedAt - this.#ageOf(value) })
    }
  }

  #settle (key: string, lookup: Lookup<Value>): void {
    if (this.#underWay.get(key) === lookup) this.#underWay.delete(key)
  }

  #outdate (key: string): void {
    const lookup = this.#underWay.get(key)
    if (lookup !== undefined) lookup.outdated = true
    this.#underWay.delete(key)
  }

  #isFresh ({ value, loadedAt, bornAt }: Entry<Value>, clock: number): boolean {
    return clock - loadedAt < this.#ttl && clock - bornAt < MAX_AGE && !this.#hasEnded(value)
  }

  #hasEnded (value: Value): boolean {
    return this.#endsAt !== undefined && this.#endsAt(value) <= this.#now()
  }
}
