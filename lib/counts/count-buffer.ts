import type { Count, CountKind, OutcomeCounts } from '../../contracts/counts.js'
import { waitAtMost } from '../deadline.js'
import { CountTable } from './count-table.js'

/** Options of `CountBuffer`. */
export interface CountBufferOptions {
  /** Stores counts, all or none. After a failure they are kept and written again. */
  write: (counts: readonly Count[]) => Promise<void>
  /** Called with the error when a write fails after one that did not. */
  onFailure?: (error: unknown) => void
  /** The clock, epoch milliseconds. Default: `Date.now`. */
  now?: (() => number) | undefined
}

/** Milliseconds between the first addition and its write. */
const DELAY = 1_000
/** Maximum number of counts that wait for the store; further ones are dropped, as during a long outage. */
const MAX_COUNTS = 20_000
/** Maximum wait for the last write, milliseconds. */
const CLOSE_LIMIT = 1_000

/**
 * Adds up numbers in memory and writes them about once a second and on `close`. A process that is killed loses those of
 * the last second.
 */
export class CountBuffer implements OutcomeCounts {
  readonly #options: CountBufferOptions
  readonly #now: () => number
  #table = new CountTable()
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<void> | null = null
  #failing = false
  #closed = false

  constructor (options: CountBufferOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Counts events of now. Never throws. */
  add (kind: CountKind, orgId: string, id: string, outcome: string, events = 1, bytes = 0): void {
    this.addAt(this.#now(), kind, orgId, id, outcome, events, bytes)
  }

  /** Counts events of a time, epoch milliseconds. */
  addAt (at: number, kind: CountKind, orgId: string, id: string, outcome: string, events: number, bytes = 0): void {
    if (this.#table.size >= MAX_COUNTS) return
    this.#table.add(kind, orgId, id, outcome, at, events, bytes)
    if (this.#timer === null && !this.#closed) this.#timer = setTimeout(this.#onTimer, DELAY).unref()
  }

  /** Writes what has been added so far. Resolves also if the write fails; the numbers are then kept. */
  async flush (): Promise<void> {
    while (this.#writing !== null) await this.#writing
    if (this.#table.size === 0) return
    this.#writing = this.#write()
    await this.#writing
  }

  /** Writes the rest, within 1 s. */
  async close (): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await waitAtMost(this.flush(), CLOSE_LIMIT)
  }

  async #write (): Promise<void> {
    const table = this.#table
    this.#table = new CountTable()
    try {
      await this.#options.write([...table])
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#options.onFailure?.(error)
      this.#failing = true
      for (const count of table) if (this.#table.size < MAX_COUNTS) this.#table.merge(count)
    } finally {
      this.#writing = null
    }
  }

  readonly #onTimer = (): void => {
    this.flush().finally(() => {
      this.#timer = null
      if (this.#table.size > 0 && !this.#closed) this.#timer = setTimeout(this.#onTimer, DELAY).unref()
    })
  }
}
