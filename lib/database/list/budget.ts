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

  /** @param signal aborts when the client no longer waits for the page */
  constructor (signal?: AbortSignal) {
    this.#signal = signal
  }

  /** Whether no further statement may be sent. Time never prevents the first statement. */
  get isSpent (): boolean {
    if (this.isAborted) return true
    return this.#statements > 0 &&
      (this.#statements >= PAGE_STATEMENTS || this.#rows >= PAGE_ROWS || performance.now() >= this.#deadline)
  }

  get isAborted (): boolean {
    return this.#signal?.aborted === true
  }

  /** Whether a statement has completed, so that a page that ends now has made progress. */
  get hasProgress (): boolean {
    return this.#statements > 0
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
