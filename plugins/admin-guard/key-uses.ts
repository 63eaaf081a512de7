import type { FastifyBaseLogger } from 'fastify'
import { LRUCache } from 'lru-cache'

import type { ApiKeys } from '../../contracts/token-store/index.js'

/** Minimum time between two stored uses of one key, milliseconds. */
const PRECISION = 60_000
/** Time in which uses are collected for one write, milliseconds. */
const DELAY = 1_000
const REMEMBERED = 10_000

const byStore = new WeakMap<ApiKeys, KeyUses>()

/** Returns the recorder of a store, which all guards of the process share. */
export function keyUsesOf (apiKeys: ApiKeys, log: FastifyBaseLogger): KeyUses {
  const known = byStore.get(apiKeys)
  if (known !== undefined) return known
  const uses = new KeyUses(apiKeys, log)
  byStore.set(apiKeys, uses)
  return uses
}

/** Stores the last use of API keys, at most once per minute and key, together and without delaying a request. */
export class KeyUses {
  readonly #apiKeys: ApiKeys
  readonly #log: FastifyBaseLogger
  readonly #stored = new LRUCache<string, number>({ max: REMEMBERED })
  #waiting = new Map<string, number>()
  #timer: NodeJS.Timeout | null = null

  constructor (apiKeys: ApiKeys, log: FastifyBaseLogger) {
    this.#apiKeys = apiKeys
    this.#log = log
  }

  /** Records a use at `at`, epoch milliseconds. */
  note (id: string, at: number): void {
    const last = this.#stored.get(id)
    // A last use in the future means that the clock was set back.
    if (last !== undefined && at >= last && at - last < PRECISION) return
    this.#stored.set(id, at)
    this.#waiting.set(id, at)
    this.#timer ??= setTimeout(() => { this.flush() }, DELAY).unref()
  }

  /** Writes the collected uses. Never rejects: after a failure the next use of a key is stored. */
  async flush (): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const uses = Array.from(this.#waiting, ([id, at]) => ({ id, at }))
    this.#waiting = new Map()
    if (uses.length === 0) return
    try {
      await this.#apiKeys.touch(uses)
    } catch (error) {
      for (const { id } of uses) {
        this.#stored.delete(id)
      }
      this.#log.warn({ err: error }, 'admin-guard: the last use of API keys could not be stored')
    }
  }
}
