import type { Kysely } from 'kysely'

import { decodeCursor, encodeCursor } from './cursor.js'
import type { Position } from './cursor.js'
import { ListBudget, PAGE_BYTES, PAGE_ROWS } from './budget.js'
import type { Page, PageRequest } from '../../../contracts/token-store/index.js'
import type { ListReads } from './reads.js'
import { scanList } from './scan.js'
import type { ListScan, Scanned } from './scan.js'
import type { DatabaseSchema } from '../schema.js'

/** Rows that one statement goes through at most where not all of them are shown: some milliseconds of a database. */
const SLICE = 2_000
/** What an item has beside its texts, bytes. */
const ITEM_BYTES = 512

/** What a list asks for next. */
export interface Wanted extends Pick<ListScan, 'slice' | 'wanted' | 'bytes'> {
  /** Only what lies before; `null`: from the newest on. */
  before: Position | null
}

/** A page of a list while it is read, within the budget of a page. */
export class ListPage<Row> {
  readonly #lists: ListReads
  readonly #budget: ListBudget
  readonly #signal: AbortSignal | undefined
  readonly #limit: number
  readonly #positionOf: (row: Row) => Position
  readonly #rows: Row[] = []
  #bytes = PAGE_BYTES
  #at: Position | null
  #isCut = false

  /** Throws `INVALID_REQUEST` for a bad cursor. */
  constructor (lists: ListReads, { cursor, limit, signal }: PageRequest, positionOf: (row: Row) => Position) {
    this.#lists = lists
    this.#budget = new ListBudget(signal)
    this.#signal = signal
    this.#limit = limit
    this.#positionOf = positionOf
    this.#at = cursor === undefined ? null : decodeCursor(cursor)
  }

  /** Where the page has got to; `null`: nowhere yet. */
  get at (): Position | null {
    return this.#at
  }

  /** Nothing of the list lies between here and there. */
  skipTo (position: Position): void {
    this.#at = position
  }

  /**
   * Reads rows until the page is complete, or until there are no more: then resolves with `false`, and the page may be filled from elsewhere.
   * `showsAll`: no row is gone through that is not shown.
   */
  async fill (scanOf: (wanted: Wanted) => Omit<ListScan, keyof Wanted>, { showsAll }: { showsAll: boolean }): Promise<boolean> {
    const { sql } = await import('kysely')
    for (;;) {
      if (this.#bytes <= 0) return this.#cut(true)
      const wanted = Math.min(PAGE_ROWS, this.#limit + 1 - this.#rows.length)
      const slice = showsAll ? wanted : SLICE
      const asked: Wanted = { before: this.#at, slice, wanted, bytes: this.#bytes }
      const scanned = await this.ask((db) => scanList<Row>(sql, db, { ...scanOf(asked), ...asked }))
      if (scanned === null) return true
      const last = scanned.at(-1)
      this.#budget.look(Number(last?.place ?? 0))
      if (!this.#take(scanned)) return this.#cut(true)
      if (last === undefined || Number(last.place) < slice) return false
      this.#at = this.#positionOf(last)
    }
  }

  /** Asks one statement; `null`: the page has cost enough, and ends where it has got to. */
  async ask<Value> (statement: (db: Kysely<DatabaseSchema>) => Promise<Value>): Promise<Value | null> {
    if (this.#budget.isSpent) return this.#cut(null)
    try {
      const value = await this.#lists.read((db) => {
        this.#budget.begin()
        return statement(db)
      }, this.#signal)
      this.#budget.spend()
      return value
    } catch (error) {
      // Where something was read already, the next page may try again.
      if (this.#budget.isAborted || (this.#budget.hasBegun && this.#budget.isSpent)) return this.#cut(null)
      throw error
    }
  }

  page<Item> (toItem: (row: Row) => Item): Page<Item> {
    return { data: this.#rows.map(toItem), nextCursor: this.#isCut && this.#at !== null ? encodeCursor(this.#at) : null }
  }

  /** Whether there is room for more after these. */
  #take (scanned: ReadonlyArray<Scanned<Row>>): boolean {
    for (const row of scanned) {
      if (!row.shown) continue
      if (this.#rows.length === this.#limit || !row.fits) return false
      this.#rows.push(row)
      this.#at = this.#positionOf(row)
      this.#bytes -= row.size + ITEM_BYTES
    }
    return true
  }

  #cut<Value> (value: Value): Value {
    this.#isCut = true
    return value
  }
}
