import type { FastifyBaseLogger } from 'fastify'
import { LRUCache } from 'lru-cache'

import { atMost } from './at-most.js'
import { waitAtMost } from './deadline.js'

export interface LastUsesOptions {
  /** Stores the last uses of keys, epoch milliseconds. */
  store: (uses: ReadonlyArray<{ key: string, at: number }>) => Promise<void>
  /** Minimum time between two stored uses of one key, milliseconds. */
  precision: number
  /** Time after a failed write in which the uses of its keys are not stored, milliseconds. Default: 0. */
  retryDelay?: number
  /** Called with the error of `store`. */
  onError: (err: unknown) => void
}

/** Time in which uses are collected for one write, milliseconds. */
const DELAY = 1_000
const REMEMBERED = 10_000
/** Maximum wait for the last write, milliseconds. */
const CLOSE_LIMIT = 500

const byOwner = new WeakMap<object, LastUses>()

/** Returns the recorder of a part of a store, which all guards of the process share. */
export function lastUsesOf (owner: object, options: LastUsesOptions): LastUses {
  const known = byOwner.get(owner)
  if (known !== undefined) return known
  const uses = new LastUses(options)
  byOwner.set(owner, uses)
  return uses
}

/** Returns an `onError` that logs a warning. */
export function warnOf (log: FastifyBaseLogger, message: string): LastUsesOptions['onError'] {
  return (err) => log.warn({ err }, message)
}

/** Stores the last use of keys, at most once per `precision` and key, together and without delaying a request. */
export class LastUses {
  readonly #store: LastUsesOptions['store']
  readonly #precision: number
  readonly #retryDelay: number
  readonly #onError: LastUsesOptions['onError']
  /** From when on the next use of a key is stored. */
  readonly #next = new LRUCache<string, { from: number, at: number }>(atMost(REMEMBERED))
  #waiting = new Map<string, number>()
  #timer: NodeJS.Timeout | null = null

  constructor ({ store, precision, retryDelay = 0, onError }: LastUsesOptions) {
    this.#store = store
    this.#precision = precision
    this.#retryDelay = retryDelay
    this.#onError = onError
  }

  /** Records a use at `at`, epoch milliseconds. Between two stored uses it costs one look-up. */
  note (key: string, at: number): void {
    const next = this.#next.get(key)
    // A last use in the future means that the clock was set back.
    if (next !== undefined && at < next.from && at >= next.at) return
    this.#next.set(key, { from: at + this.#precision, at })
    this.#waiting.set(key, at)
    this.#timer ??= setTimeout(() => { this.flush() }, DELAY).unref()
  }

  /** Writes the collected uses. Never rejects: after a failure, uses are stored again when `retryDelay` has passed. */
  async flush (): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const uses = Array.from(this.#waiting, ([key, at]) => ({ key, at }))
    this.#waiting = new Map()
    if (uses.length === 0) return
    try {
      await this.#store(uses)
    } catch (error) {
      for (const { key, at } of uses) this.#next.set(key, { from: at + this.#retryDelay, at })
      this.#onError(error)
    }
  }

  /** Writes the collected uses, within 500 ms: a store that hangs must not delay the stop of the app. */
  async close (): Promise<void> {
    await waitAtMost(this.flush(), CLOSE_LIMIT)
  }
}
