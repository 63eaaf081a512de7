export interface SemaphoreOptions {
  /** How many tasks run at the same time, at least 1. */
  permits: number
  /** The weight of all waiting tasks from which on a further task is refused. Default: `Infinity`. */
  maxWaiting?: number
  /** The error of a task that is refused because too many are waiting. */
  onFull?: () => Error
  /** Milliseconds that a task waits at most. Default: without limit. */
  maxWait?: number
  /** The error of a task that has waited for `maxWait`. */
  onOverdue?: () => Error
}

interface TaskOptions {
  /** The number of tasks that this one counts as in `maxWaiting`. Default: 1. */
  weight?: number
  /** A task that is still waiting when the signal aborts rejects with the signal's reason and never runs. */
  signal?: AbortSignal | undefined
}

/** Runs a limited number of tasks at the same time. The others wait and start in the order of their calls. */
export class Semaphore {
  #free: number
  #weight = 0
  readonly #options: SemaphoreOptions
  /** Each entry starts one task. */
  readonly #waiting = new Set<() => void>()

  constructor (options: SemaphoreOptions) {
    this.#free = options.permits
    this.#options = options
  }

  /**
   * Runs the task when a permit is free, and settles as the task does. Rejects with the errors of the options for a
   * task that is refused
   * or overdue.
   *
   * @example
   * const hashing = new Semaphore({ permits: 2, maxWaiting: 200, onFull: () => new UNAVAILABLE() })
   * const hash = await hashing.run(() => argon2.hash(password))
   */
  async run<Result> (task: () => Promise<Result>, { weight = 1, signal }: TaskOptions = {}): Promise<Result> {
    signal?.throwIfAborted()
    if (this.#free > 0) this.#free--
    else await this.#wait(weight, signal)
    try {
      return await task()
    } finally {
      // The permit goes to the next task without being free in between.
      const [next] = this.#waiting
      if (next === undefined) this.#free++
      else next()
    }
  }

  /** Resolves when a task that has ended gives its permit to this one. */
  async #wait (weight: number, signal: AbortSignal | undefined): Promise<void> {
    const { maxWaiting = Infinity, maxWait, onFull, onOverdue } = this.#options
    if (this.#weight >= maxWaiting) throw onFull?.() ?? new Error('Too many tasks are waiting')
    this.#weight += weight
    await new Promise<void>((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        this.#waiting.delete(enter)
        this.#weight -= weight
      }
      const enter = () => {
        settle()
        resolve()
      }
      const leave = (reason: unknown) => {
        settle()
        reject(reason)
      }
      const onAbort = () => leave(signal?.reason)
      const timer = maxWait === undefined
        ? undefined
        : setTimeout(() => leave(onOverdue?.() ?? new Error(`No permit was free within ${maxWait} ms`)), maxWait)
      signal?.addEventListener('abort', onAbort)
      this.#waiting.add(enter)
    })
  }
}
