import { LRUCache } from 'lru-cache'

import { clientNetwork } from './client-address.js'
import { INVALID_OPTIONS } from './errors.js'
import { refuseUnknownMembers } from './known-options.js'
import type { KnownOptions } from './known-options.js'

export interface GuessLimit {
  /** How many different unknown keys a client address (IPv6: its /64) may try in the window. Default: 500. */
  max?: number
  /** The window, milliseconds. Default: 10 000. */
  timeWindow?: number
}

const KNOWN: KnownOptions<GuessLimit> = { max: true, timeWindow: true }
const REMEMBERED = 10_000

/**
 * Counts the unknown keys that an address tries, so that guessing costs the store a bounded number of look-ups. Beyond the limit
 * the address's further unseen keys wait; keys that this process has seen work go on working for everyone behind that address.
 */
export class KeyGuesses {
  readonly #max: number
  readonly #timeWindow: number
  readonly #good = new LRUCache<string, true>({ max: REMEMBERED })
  readonly #bad = new LRUCache<string, true>({ max: REMEMBERED })
  /** Windows end by `performance.now`, as nobody sets it. */
  readonly #counts = new LRUCache<string, { count: number, endsAt: number }>({ max: REMEMBERED })

  constructor (options: GuessLimit) {
    refuseUnknownMembers('pipelineKey', 'guessLimit.', options, KNOWN)
    const { max = 500, timeWindow = 10_000 } = options
    if (!Number.isInteger(max) || max < 1) throw new INVALID_OPTIONS('pipeline-key: "guessLimit.max" must be a positive integer')
    if (!Number.isInteger(timeWindow) || timeWindow < 1) {
      throw new INVALID_OPTIONS('pipeline-key: "guessLimit.timeWindow" must be a positive number of milliseconds')
    }
    this.#max = max
    this.#timeWindow = timeWindow
  }

  /** Milliseconds until this address may have this key looked up; 0: now. */
  wait (key: string, ip: string): number {
    if (this.#counts.size === 0 || this.#good.has(key)) return 0
    const counted = this.#counts.get(clientNetwork(ip))
    return counted === undefined || counted.count < this.#max ? 0 : Math.max(0, counted.endsAt - performance.now())
  }

  note (key: string, ip: string, found: boolean): void {
    if (found) {
      if (!this.#good.has(key)) this.#good.set(key, true)
      return
    }
    this.#good.delete(key)
    // One wrong key that is sent again and again is a mistake, not a guess.
    if (this.#bad.has(key)) return
    this.#bad.set(key, true)
    const network = clientNetwork(ip)
    const now = performance.now()
    const counted = this.#counts.get(network)
    if (counted === undefined || counted.endsAt <= now) this.#counts.set(network, { count: 1, endsAt: now + this.#timeWindow })
    else counted.count++
  }
}
