import type { FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'

import { atMost } from '../at-most.js'
import { requestNetwork } from '../http/client-address.js'
import { RATE_LIMITED } from '../errors.js'
import { assertWholeNumber, refuseUnknownMembers } from '../options.js'
import type { KnownOptions } from '../options.js'

export interface GuessLimit {
  /** Maximum number of lookups of unknown keys per window and client address (IPv6: its /64). Default: 500. */
  max?: number
  /** Length of the window, in milliseconds. Default: 10 000. */
  timeWindow?: number
}

type Found<Value> = Value | null | Promise<Value | null>

/** Resolves keys: pipeline keys to sources, or ids to webhooks. */
export interface Resolver<Value> {
  /** Returns a cached result synchronously, otherwise a promise. */
  resolve(key: string): Found<Value>
}

interface Window {
  count: number
  readonly endsAt: number
}

const KNOWN: KnownOptions<GuessLimit> = { max: true, timeWindow: true }
const REMEMBERED = 10_000
/** Milliseconds for which a key is treated as unknown without a lookup. */
const UNKNOWN_FOR = 5_000

/**
 * Limits the lookups of unknown keys per address. A lookup is counted before it starts, so that concurrent requests
 * count too, and uncounted if it finds something or fails. Beyond the limit, keys are answered from memory: keys that
 * were valid before stay valid, recently unknown keys stay unknown, and any other key is refused with `RATE_LIMITED`.
 */
export class UnknownKeyLimiter {
  readonly #max: number
  readonly #timeWindow: number
  readonly #good = new LRUCache<string, true>(atMost(REMEMBERED))
  readonly #bad = new LRUCache<string, true>({ ...atMost(REMEMBERED), ttl: UNKNOWN_FOR })
  /** Keys whose counted lookup is in flight; concurrent requests share one lookup of the store. */
  readonly #underWay = new Set<string>()
  /** Windows end by `performance.now`, which is monotonic. */
  readonly #windows = new LRUCache<string, Window>(atMost(REMEMBERED))

  constructor (options: GuessLimit) {
    refuseUnknownMembers('pipelineKey', 'guessLimit.', options, KNOWN)
    const { max = 500, timeWindow = 10_000 } = options
    assertWholeNumber('pipeline-key', 'guessLimit.max', max)
    assertWholeNumber('pipeline-key', 'guessLimit.timeWindow', timeWindow, { unit: 'milliseconds' })
    this.#max = max
    this.#timeWindow = timeWindow
  }

  /** Looks up a key for the address of a request. Throws `RATE_LIMITED` if that address must wait. */
  look<Value extends object> (key: string, request: FastifyRequest, store: Resolver<Value>): Found<Value> {
    if (this.#good.has(key)) return this.#lookGood(key, store)
    if (this.#underWay.has(key)) return store.resolve(key)
    const window = this.#windowOf(requestNetwork(request))
    if (window.count >= this.#max) {
      if (this.#bad.has(key)) return null
      throw new RATE_LIMITED({
        retryAfterSeconds: Math.max(0, window.endsAt - performance.now()) / 1000,
        reason: 'too many unknown keys'
      })
    }
    return this.#lookCounted(key, window, store)
  }

  #lookGood<Value extends object> (key: string, store: Resolver<Value>): Found<Value> {
    const found = store.resolve(key)
    if (found === null) this.#good.delete(key)
    else if ('then' in found) {
      found.then((value) => {
        if (value === null) this.#good.delete(key)
      }, ignore)
    }
    return found
  }

  #lookCounted<Value extends object> (key: string, window: Window, store: Resolver<Value>): Found<Value> {
    window.count++
    let found: Found<Value>
    try {
      found = store.resolve(key)
    } catch (error) {
      window.count--
      throw error
    }
    if (found === null) {
      // Repeating one unknown key is not counted while it is answered from memory.
      if (this.#bad.has(key)) window.count--
      else this.#bad.set(key, true)
    } else if ('then' in found) {
      this.#underWay.add(key)
      found.then((value) => this.#settle(key, window, value !== null), () => this.#settle(key, window, null))
    } else {
      this.#settle(key, window, true)
    }
    return found
  }

  /** `found` is `null` if the lookup failed, which says nothing about the key. */
  #settle (key: string, window: Window, found: boolean | null): void {
    this.#underWay.delete(key)
    if (found !== false) window.count--
    if (found === true) this.#good.set(key, true)
    else if (found === false) this.#bad.set(key, true)
  }

  #windowOf (network: string): Window {
    const now = performance.now()
    let window = this.#windows.get(network)
    if (window === undefined || window.endsAt <= now) {
      window = { count: 0, endsAt: now + this.#timeWindow }
      this.#windows.set(network, window)
    }
    return window
  }
}

function ignore (): void {}
