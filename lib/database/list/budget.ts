/** Statements of one page at most. */
export const PAGE_STATEMENTS = 16
/** Rows that are looked at for one page at most, or little more. */
export const PAGE_ROWS = 4_000
/** Milliseconds, from the turn of its first statement, after which nothing further is asked for a page. */
const PAGE_TIME = 100
/** Bytes of JSON text in one page, or one item where that is larger. */
export const PAGE_BYTES = 1024 * 1024

/** What one page of a list may cost. Once it is spent the list ends its page, and the next page goes on from there. */
export class ListBudget {
  #until = Infinity
  readonly #signal: AbortSignal | undefined
  #statements = 0
  #rows = 0

  /** @param signal aborts when nobody waits for the page any more */
  constructor (signal?: AbortSignal) {
    this.#signal = signal
  }

  /** Whether nothing further may be asked. The first statement may be asked however late it is. */
  get isSpent (): boolean {
    if (this.isAborted) return true
    return this.#statements > 0 && (this.#statements >= PAGE_STATEMENTS || this.#rows >= PAGE_ROWS || performance.now() >= this.#until)
  }

  get isAborted (): boolean {
    return this.#signal?.aborted === true
  }

  /** Whether a statement was answered: then a page that ends here has got on. */
  get hasBegun (): boolean {
    return this.#statements > 0
  }

  /** Starts the time, with the first statement: while a page waits for its turn, its time does not run, or it would never get on. */
  begin (): void {
    if (this.#until === Infinity) this.#until = performance.now() + PAGE_TIME
  }

  /** Counts a statement. */
  spend (): void {
    this.#statements++
  }

  /** Counts rows that were looked at. */
  look (rows: number): void {
    this.#rows += rows
  }
}
