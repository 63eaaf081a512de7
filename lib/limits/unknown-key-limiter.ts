import type { FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'

import { requestNetwork } from '../http/client-address.js'
import { RATE_LIMITED } from '../errors.js'
import { assertWholeNumber, refuseUnknownMembers } from '../options.js'
import type { KnownOptions } from '../options.js'

export interface GuessLimit {
  /** How many look-ups of unknown keys a client address (IPv6: its /64) may cause in the window. Default: 500. */
  max?: number
  /** The window, milliseconds. Default: 10 000. */
  timeWindow?: number
}

type Found<Value> = Value | null | Promise<Value | null>

/** What is looked up by a key: sources by their pipeline key, webhooks by their id. */
export interface Resolver<Value> {
  /** At once from memory, else by a promise. */
  resolve (key: string): Found<Value>
}

interface Window { count: number, readonly endsAt: number }

const KNOWN: KnownOptions<GuessLimit> = { max: true, timeWindow: true }
const REMEMBERED = 10_000
/** For how long a key counts as unknown without being looked up, milliseconds. */
const UNKNOWN_FOR = 5_000

/**
 * Bounds the look-ups of unknown keys that an address can cause. A look-up is counted before it begins, so that parallel requests count too,
 * and taken back if it finds something or fails. Beyond the limit an address's keys are answered from memory: keys that this process has seen
 * work go on working for everyone behind that address, keys that it has just found unknown are unknown, and any other has to wait.
 */
export class UnknownKeyLimiter {
  readonly #max: number
  readonly #timeWindow: number
  readonly #good = new LRUCache<string, true>({ max: REMEMBERED })
  readonly #bad = new LRUCache<string, true>({ max: REMEMBERED, ttl: UNKNOWN_FOR })
  /** Keys whose counted look-up is under way: a store has one look-up for all who ask at that time. */
  readonly #underWay = new Set<string>()
  /** Windows end by `performance.now`, as nobody sets it. */
  readonly #windows = new LRUCache<string, Window>({ max: REMEMBERED })

  constructor (options: GuessLimit) {
    refuseUnknownMembers('pipelineKey', 'guessLimit.', options, KNOWN)
    const { max = 500, timeWindow = 10_000 } = options
    assertWholeNumber('pipeline-key', 'guessLimit.max', max)
    assertWholeNumber('pipeline-key', 'guessLimit.timeWindow', timeWindow, { unit: 'milliseconds' })
    this.#max = max
    this.#timeWindow = timeWindow
  }

  /** Looks a key up for the address of a request. Throws `RATE_LIMITED` where that address has to wait. */
  look<Value extends object> (key: string, request: FastifyRequest, store: Resolver<Value>): Found<Value> {
    if (this.#good.has(key)) return this.#lookGood(key, store)
    if (this.#underWay.has(key)) return store.resolve(key)
    const window = this.#windowOf(requestNetwork(request))
    if (window.count >= this.#max) {
      if (this.#bad.has(key)) return null
      throw new RATE_LIMITED({ retryAfterSeconds: Math.max(0, window.endsAt - performance.now()) / 1000, reason: 'too many unknown keys' })
    }
    return this.#lookCounted(key, window, store)
  }

  #lookGood<Value extends object> (key: string, store: Resolver<Value>): Found<Value> {
    const found = store.resolve(key)
    if (found === null) this.#good.delete(key)
    else if ('then' in found) found.then((value) => { if (value === null) this.#good.delete(key) }, ignore)
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
      // One wrong key that is sent again and again costs the store nothing while it is answered from memory.
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

  /** `null`: the look-up failed, which says nothing of the key. */
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
