import type { FastifyBaseLogger } from 'fastify'

import { assertStrongSecret } from '../../signing/secret-strength/index.js'
import { withDeadline } from '../deadline.js'
import { INVALID_OPTIONS } from '../errors.js'
import { assertWholeNumber } from '../options.js'

/** A secret, or a function that gives the one of now, as a secret manager's client does: sync or async, asked again as it ages. */
export type SecretSource<Secret> = Secret | (() => Secret | Promise<Secret>)

export interface SecretSourceOptions<Secret, Checked> {
  /** Names the option in errors and in the log, as in `guest-token: "apiKey"`. */
  name: string
  /** What is kept of a secret, such as its digest. Throws for one that won't do; its message must not show it. */
  check: (secret: Secret) => Checked
  log: FastifyBaseLogger
  /** Milliseconds for which what a function gave is used without asking again, so the longest that an old key lives. Default: 2 000. */
  maxAge?: number | undefined
  /** Milliseconds for which a function is waited for. Default: 2 000. */
  timeout?: number | undefined
}

const LEAST_INTERVAL = 100

const LONGEST_TIMER = 2 ** 31 - 1

/**
 * The secret of now. A plain value is checked once. A function is asked at start-up, where its failure stops the start, and again by the first
 * request that finds its answer older than `maxAge`; others that come meanwhile wait with it. If it then throws, takes too long or gives something
 * that won't do, the last good answer stays in use, nobody waits any more, and the log warns, once until it works again.
 */
export class RotatingSecret<Secret, Checked> {
  readonly #ask: (() => Secret | Promise<Secret>) | null
  readonly #options: SecretSourceOptions<Secret, Checked>
  #checked: Checked
  #askedAt: number
  #asking: Promise<Checked> | null = null
  #isFailing = false

  private constructor (source: SecretSource<Secret>, given: Secret, options: SecretSourceOptions<Secret, Checked>, askedAt: number) {
    this.#ask = isFunction(source) ? source : null
    this.#options = options
    this.#checked = options.check(given)
    this.#askedAt = askedAt
  }

  /** Rejects with `INVALID_OPTIONS` for a secret or a `maxAge` that won't do, and for a function that fails or is silent. */
  static async open<Secret, Checked> (source: SecretSource<Secret>, options: SecretSourceOptions<Secret, Checked>): Promise<RotatingSecret<Secret, Checked>> {
    const { name, maxAge = 0 } = options
    assertWholeNumber(name, 'secretMaxAge', maxAge, { min: 0, max: LONGEST_TIMER, unit: 'milliseconds' })
    const askedAt = performance.now()
    const given = isFunction(source) ? await inTime(source, options).catch((cause: unknown) => { throw unusable(options, cause) }) : source
    return new RotatingSecret(source, given, options, askedAt)
  }

  /** At once as long as the answer is young, or while the function fails; else by a promise, which never rejects. */
  get (): Checked | Promise<Checked> {
    const asking = this.#askIfOld()
    return asking === null || this.#isFailing ? this.#checked : asking
  }

  /** At once in any case: the answer of last time. One that is old is being replaced from then on. */
  cached (): Checked {
    this.#askIfOld()
    return this.#checked
  }

  /**
   * Keeps what `latest` gives young without any request, by a timer that lets the process end: an answer is asked for again when it is half as old
   * again as `maxAge` at the latest. Returns what stops it. A plain secret has no timer.
   */
  startRefreshing (): () => void {
    if (this.#ask === null) return () => {}
    const timer = setInterval(() => this.#askIfOld(), Math.max(this.#maxAge / 2, LEAST_INTERVAL)).unref()
    return () => clearInterval(timer)
  }

  get #maxAge (): number {
    return this.#options.maxAge ?? 2_000
  }

  /** What is being asked, `null` for nothing. */
  #askIfOld (): Promise<Checked> | null {
    if (this.#ask === null || performance.now() - this.#askedAt < this.#maxAge) return null
    this.#asking ??= this.#askAgain(this.#ask).finally(() => { this.#asking = null })
    return this.#asking
  }

  async #askAgain (ask: () => Secret | Promise<Secret>): Promise<Checked> {
    const { log, name, check } = this.#options
    const askedAt = performance.now()
    try {
      // Checked each time: a function may give the same array with other things in it.
      this.#checked = check(await inTime(ask, this.#options))
      this.#isFailing = false
    } catch (error) {
      // The error may hold anything, the secret too.
      if (!this.#isFailing) log.warn({ reason: reasonOf(error) }, `${name}: the function gave no usable secret; the one before stays in use`)
      this.#isFailing = true
    }
    this.#askedAt = askedAt
    return this.#checked
  }
}

/** Throws `INVALID_OPTIONS` for a weak secret, under the name of its option, such as `guest-token: "proxyKeys"`. */
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

async function inTime<Secret, Checked> (ask: () => Secret | Promise<Secret>, { timeout = 2_000 }: SecretSourceOptions<Secret, Checked>): Promise<Secret> {
  return await withDeadline(Promise.resolve(ask()), timeout, () => new INVALID_OPTIONS(`no answer within ${timeout} ms`))
}

function unusable<Secret, Checked> ({ name }: SecretSourceOptions<Secret, Checked>, cause: unknown): Error {
  return new INVALID_OPTIONS(`${name}: the function gave no secret (${reasonOf(cause)})`)
}

/** Our own words only. */
function reasonOf (error: unknown): string {
  return error instanceof Error && 'code' in error && error.code === 'INVALID_OPTIONS' ? error.message : 'it threw'
}
