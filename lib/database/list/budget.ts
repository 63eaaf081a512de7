/** Maximum number of statements for one page. */
export const PAGE_STATEMENTS = 16
/** Approximate maximum number of rows scanned for one page. */
export const PAGE_ROWS = 4_000
/** Milliseconds after the first statement starts; later than this, no further statement is sent for the page. */
const PAGE_TIME = 100
/** Maximum bytes of JSON in one page; a single larger item is returned alone. */
export const PAGE_BYTES = 1024 * 1024

/** Limits the cost of one page of a list. A page ends when its budget is spent; the next page continues there. */
export class ListBudget {
  #deadline = Infinity
  readonly #signal: AbortSignal | undefined
  #statements = 0
  #rows = 0
  #hasProgress = false

  /** @param signal aborts when the client no longer waits for the page */
  constructor (signal?: AbortSignal) {
    this.#signal = signal
  }

  /** Whether no further statement may be sent. A page makes progress first, however long that takes. */
  get isSpent (): boolean {
    if (this.isAborted) return true
    return this.#hasProgress &&
      (this.#statements >= PAGE_STATEMENTS || this.#rows >= PAGE_ROWS || performance.now() >= this.#deadline)
  }

  get isAborted (): boolean {
    return this.#signal?.aborted === true
  }

  /** Whether the next page would continue behind the start of this one. */
  get hasProgress (): boolean {
    return this.#hasProgress
  }

  /** Call it when the position of the page has changed. */
  noteProgress (): void {
    this.#hasProgress = true
  }

  /** Starts the timer with the first statement. Queueing time does not count, else a page might never progress. */
  start (): void {
    if (this.#deadline === Infinity) this.#deadline = performance.now() + PAGE_TIME
  }

  /** Counts a completed statement. */
  countStatement (): void {
    this.#statements++
  }

  /** Counts scanned rows. */
  countRows (rows: number): void {
    this.#rows += rows
  }
}
