import type { CompactJWSHeaderParameters, CryptoKey, FlattenedJWSInput, JSONWebKeySet } from 'jose'

import { UNAVAILABLE } from '../errors.js'
import type { KeySet } from './key-set.js'

type Jose = Pick<typeof import('jose'), 'createLocalJWKSet' | 'errors'>
type Find = (header: CompactJWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>

export interface ProviderKeysOptions {
  jose: Jose
  /** Fetches the current keys. */
  fetch: () => Promise<KeySet>
  /** Age after which keys are fetched again, in milliseconds. */
  maxAge: number
  /** Maximum age of keys while fetching fails, in milliseconds. */
  maxStale: number
  /** Minimum time between two fetches for unknown keys, in milliseconds. */
  cooldown: number
  /** A clock in milliseconds. */
  clock: () => number
  /** Called with the error of each failed fetch. */
  onFailure: (error: unknown) => void
}

/** Maximum time after a failed fetch until the next one, in milliseconds. */
const RETRY_AFTER = 5_000
/** Share of `maxAge` after which keys are fetched in the background, so that requests do not wait. */
const AHEAD = 0.8

/**
 * The keys of one provider. At most one fetch is under way, and a token waits for at most one. Known keys are used
 * while the provider does not respond, for at most `maxStale`.
 */
export class ProviderKeys {
  readonly #options: ProviderKeysOptions
  #find: Find | null = null
  #fetchedAt = -Infinity
  /** When the last fetch ended. */
  #triedAt = -Infinity
  #hasFailed = false
  #pending: Promise<void> | null = null

  constructor (options: ProviderKeysOptions) {
    this.#options = options
  }

  /**
   * Returns the key of a token by the `kid` and `alg` of its header. Rejects with `UNAVAILABLE` if the key is unknown
   * and the provider does not respond, and with an error of jose if the provider has no such key.
   */
  async find (header: CompactJWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const find = await this.#current()
    try {
      return await find(header, token)
    } catch (error) {
      if (!(error instanceof this.#options.jose.errors.JWKSNoMatchingKey)) throw error
      // Tokens with invented key ids must not cause many fetches.
      if (this.#pending === null && !this.#hasFailed && this.#sinceLast() < this.#options.cooldown) throw error
      await this.#fetch()
      return await (this.#find ?? find)(header, token)
    }
  }

  /** Returns the known keys, after a fetch if there are none or if they are too old. */
  async #current (): Promise<Find> {
    const { maxAge, maxStale, clock } = this.#options
    const age = clock() - this.#fetchedAt
    if (this.#find === null || age >= maxStale) {
      await this.#fetch()
    } else if (age >= maxAge * AHEAD) {
      const isWaiting = age >= maxAge && !this.#hasFailed
      const fetched = this.#fetch().catch(() => {})
      // After a failure no token waits for the next attempt: its key is known.
      if (isWaiting) await fetched
    }
    if (this.#find === null) throw new UNAVAILABLE({ reason: 'the keys of the identity provider are not known' })
    return this.#find
  }

  #sinceLast (): number {
    return this.#options.clock() - this.#triedAt
  }

  /** Resolves after the fetch that is under way or a new one. Rejects with `UNAVAILABLE` if it fails. */
  #fetch (): Promise<void> {
    if (this.#pending !== null) return this.#pending
    if (this.#hasFailed && this.#sinceLast() < Math.min(this.#options.cooldown, RETRY_AFTER)) {
      return Promise.reject(new UNAVAILABLE({ reason: 'the last fetch of the keys failed less than 5 seconds ago' }))
    }
    this.#pending = this.#attempt().finally(() => {
      this.#pending = null
      this.#triedAt = this.#options.clock()
    })
    return this.#pending
  }

  async #attempt (): Promise<void> {
    const { jose, fetch, clock, onFailure } = this.#options
    const startedAt = clock()
    try {
      this.#find = jose.createLocalJWKSet(await fetch() as unknown as JSONWebKeySet)
      this.#fetchedAt = startedAt
      this.#hasFailed = false
    } catch (error) {
      this.#hasFailed = true
      onFailure(error)
      throw new UNAVAILABLE({ reason: 'the keys of the identity provider could not be fetched', cause: error })
    }
  }
}
