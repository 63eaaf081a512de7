import type { FastifyBaseLogger } from 'fastify'

import { assertStrongSecret } from '../../signing/secret-strength/index.js'
import { LONGEST_TIMER, withDeadline } from '../deadline.js'
import { INVALID_OPTIONS } from '../errors.js'
import { assertWholeNumber } from '../options.js'

/** A secret, or a function that returns the current secret, such as a secret manager's client; sync or async. */
export type SecretSource<Secret> = Secret | (() => Secret | Promise<Secret>)

export interface SecretSourceOptions<Secret, Checked> {
  /** Name of the option in errors and in the log, such as `guest-token: "apiKey"`. */
  name: string
  /**
   * Validates a secret and returns the value to keep, such as its digest. The message of its error must not contain the
   * secret.
   */
  check: (secret: Secret) => Checked
  log: FastifyBaseLogger
  /** Milliseconds for which a returned secret is cached, so the maximum life of an old key. Default: 2 000. */
  maxAge?: number | undefined
  /** Maximum time to wait for the function, in milliseconds. Default: 2 000. */
  timeout?: number | undefined
}

const LEAST_INTERVAL = 100

/**
 * Provides the current secret. A plain value is validated once. A function is called at start, where its failure stops
 * the start, and again by the first request after `maxAge`; concurrent requests share the call. If a later call fails,
 * takes too long or returns an invalid secret, the last valid secret stays in use, requests no longer wait, and one
 * warning is logged per outage.
 */
export class RotatingSecret<Secret, Checked> {
  readonly #fetch: (() => Secret | Promise<Secret>) | null
  readonly #options: SecretSourceOptions<Secret, Checked>
  #checked: Checked
  #fetchedAt: number
  #refreshing: Promise<Checked> | null = null
  #isFailing = false

  private constructor (
    source: SecretSource<Secret>,
    secret: Secret,
    options: SecretSourceOptions<Secret, Checked>,
    fetchedAt: number
  ) {
    this.#fetch = isFunction(source) ? source : null
    this.#options = options
    this.#checked = options.check(secret)
    this.#fetchedAt = fetchedAt
  }

  /** Rejects with `INVALID_OPTIONS` for an invalid secret or `maxAge`, and if the function fails or takes too long. */
  static async open<Secret, Checked> (
    source: SecretSource<Secret>,
    options: SecretSourceOptions<Secret, Checked>
  ): Promise<RotatingSecret<Secret, Checked>> {
    const { name, maxAge = 0 } = options
    assertWholeNumber(name, 'secretMaxAge', maxAge, { min: 0, max: LONGEST_TIMER, unit: 'milliseconds' })
    const fetchedAt = performance.now()
    const secret = isFunction(source)
      ? await inTime(source, options).catch((cause: unknown) => {
        throw unusable(options, cause)
      })
      : source
    return new RotatingSecret(source, secret, options, fetchedAt)
  }

  /**
   * Returns the secret synchronously while it is fresh or the function fails, otherwise as a promise that never
   * rejects.
   */
  get (): Checked | Promise<Checked> {
    const refreshing = this.#refreshIfStale()
    return refreshing === null || this.#isFailing ? this.#checked : refreshing
  }

  /** Returns the last secret synchronously. If it is stale, refreshes it in the background. */
  cached (): Checked {
    this.#refreshIfStale()
    return this.#checked
  }

  /**
   * Keeps the result of `cached` fresh without requests, by an unreferenced timer: a secret is refreshed at the latest
   * when it is 1.5 times as old as `maxAge`. Returns a function that stops the timer. A plain secret has no timer.
   */
  startRefreshing (): () => void {
    if (this.#fetch === null) return () => {}
    const timer = setInterval(() => this.#refreshIfStale(), Math.max(this.#maxAge / 2, LEAST_INTERVAL)).unref()
    return () => clearInterval(timer)
  }

  get #maxAge (): number {
    return this.#options.maxAge ?? 2_000
  }

  /** Returns the refresh in flight, or `null`. */
  #refreshIfStale (): Promise<Checked> | null {
    if (this.#fetch === null || performance.now() - this.#fetchedAt < this.#maxAge) return null
    this.#refreshing ??= this.#refresh(this.#fetch).finally(() => {
      this.#refreshing = null
    })
    return this.#refreshing
  }

  async #refresh (fetchSecret: () => Secret | Promise<Secret>): Promise<Checked> {
    const { log, name, check } = this.#options
    const fetchedAt = performance.now()
    try {
      // Validated each time: a function may return the same array with other contents.
      this.#checked = check(await inTime(fetchSecret, this.#options))
      this.#isFailing = false
    } catch (error) {
      // The error may contain the secret, so it is not logged.
      if (!this.#isFailing) {
        log.warn(
          { reason: reasonOf(error) },
          `${name}: the function returned no valid secret; the previous secret stays in use`
        )
      }
      this.#isFailing = true
    }
    this.#fetchedAt = fetchedAt
    return this.#checked
  }
}

/** Throws `INVALID_OPTIONS` for a weak secret, with the name of its option, such as `guest-token: "proxyKeys"`. */
export function checkStrength (name: string, secret: string): void {
  const [, plugin = '', option = name] = /^(.+: )"(.+)"$/.exec(name) ?? []
  try {
    assertStrongSecret(option, secret)
  } catch (error) {
    throw new INVALID_OPTIONS(plugin + (error as Error).message)
  }
}

function isFunction<Secret> (source: SecretSource<Secret>): source is () => Secret | Promise<Secret> {
  return typeof source === 'function'
}

async function inTime<Secret, Checked> (
  fetchSecret: () => Secret | Promise<Secret>,
  { timeout = 2_000 }: SecretSourceOptions<Secret, Checked>
): Promise<Secret> {
  return await withDeadline(
    Promise.resolve(fetchSecret()),
    timeout,
    () => new INVALID_OPTIONS(`no response within ${timeout} ms`)
  )
}

function unusable<Secret, Checked> ({ name }: SecretSourceOptions<Secret, Checked>, cause: unknown): Error {
  return new INVALID_OPTIONS(`${name}: the function returned no secret (${reasonOf(cause)})`)
}

/** Returns only messages of this package, because others may contain the secret. */
function reasonOf (error: unknown): string {
  return error instanceof Error && 'code' in error && error.code === 'INVALID_OPTIONS' ? error.message : 'it threw'
}
