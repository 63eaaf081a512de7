import type { Kysely } from 'kysely'

import { decodeCursor, encodeCursor } from './cursor.js'
import type { Position } from './cursor.js'
import { ListBudget, PAGE_BYTES, PAGE_ROWS } from './budget.js'
import type { Page, PageRequest } from '../../../contracts/token-store/index.js'
import type { ListReads } from './reads.js'
import { scanList } from './scan.js'
import type { ListScan, ScannedRow } from './scan.js'
import type { DatabaseSchema } from '../schema.js'

/** Maximum rows that one statement scans when it filters them: a few milliseconds of database time. */
const SCAN_LIMIT = 2_000
/** Estimated size of an item without its JSON columns, bytes. */
const ITEM_BYTES = 512

/** The next rows to read. */
export interface RowRequest extends Pick<ListScan, 'scanLimit' | 'limit' | 'maxBytes'> {
  /** Reads rows older than this position; `null`: from the newest row. */
  before: Position | null
}

/** Reads one page of a list within its budget. */
export class ListPage<Row> {
  readonly #lists: ListReads
  readonly #budget: ListBudget
  readonly #signal: AbortSignal | undefined
  readonly #limit: number
  readonly #positionOf: (row: Row) => Position
  readonly #rows: Row[] = []
  #bytesLeft = PAGE_BYTES
  #position: Position | null
  #hasMore = false

  /** Throws `INVALID_REQUEST` for an invalid cursor. */
  constructor (lists: ListReads, { cursor, limit, signal }: PageRequest, positionOf: (row: Row) => Position) {
    this.#lists = lists
    this.#budget = new ListBudget(signal)
    this.#signal = signal
    this.#limit = limit
    this.#positionOf = positionOf
    this.#position = cursor === undefined ? null : decodeCursor(cursor)
  }

  /** The position of the last row read; `null` before the first row. */
  get position (): Position | null {
    return this.#position
  }

  /** Moves down to a position, unless the page is there already. The caller knows that no row lies in between. */
  skipTo (position: Position): void {
    if (this.#position !== null && !isBelow(position, this.#position)) return
    this.#position = position
    this.#budget.noteProgress()
  }

  /**
   * Reads rows until the page is complete. Resolves with `false` if the rows run out first, so that the caller can
   * continue with another table. `showsAll`: the query filters out no row. `matches` filters the rows that the query
   * returns, for conditions that SQL cannot express.
   */
  async fill (
    toScan: (request: RowRequest) => Omit<ListScan, keyof RowRequest>,
    { showsAll, matches = () => true }: { showsAll: boolean, matches?: (row: Row) => boolean }
  ): Promise<boolean> {
    const { sql } = await import('kysely')
    for (;;) {
      if (this.#bytesLeft <= 0) return this.#endWith(true)
      const limit = Math.min(PAGE_ROWS, this.#limit + 1 - this.#rows.length)
      const scanLimit = showsAll ? limit : SCAN_LIMIT
      const request: RowRequest = { before: this.#position, scanLimit, limit, maxBytes: this.#bytesLeft }
      const scanned = await this.query((db) => scanList<Row>(sql, db, { ...toScan(request), ...request }))
      if (scanned === null) return true
      const last = scanned.at(-1)
      this.#budget.countRows(Number(last?.place ?? 0))
      if (!this.#addRows(scanned, matches)) return this.#endWith(true)
      if (last === undefined || (Number(last.place) < scanLimit && scanned.length < limit)) return false
      this.skipTo(this.#positionOf(last))
    }
  }

  /** Runs one statement. Resolves with `null`, and ends the page, if the budget is spent. */
  async query<Value> (statement: (db: Kysely<DatabaseSchema>) => Promise<Value>): Promise<Value | null> {
    if (this.#budget.isSpent) return this.#endWith(null)
    try {
      const value = await this.#lists.read((db) => {
        this.#budget.start()
        return statement(db)
      }, this.#signal)
      this.#budget.countStatement()
      return value
    } catch (error) {
      // After partial progress the page ends normally, and the client retries with the next page.
      if (this.#budget.isAborted || (this.#budget.hasProgress && this.#budget.isSpent)) return this.#endWith(null)
      throw error
    }
  }

  page<Item> (toItem: (row: Row) => Item): Page<Item> {
    return {
      data: this.#rows.map(toItem),
      nextCursor: this.#hasMore && this.#position !== null ? encodeCursor(this.#position) : null
    }
  }

  /** Adds rows to the page; returns whether the page has room for more. */
  #addRows (scanned: ReadonlyArray<ScannedRow<Row>>, matches: (row: Row) => boolean): boolean {
    for (const row of scanned) {
      if (!row.shown) continue
      if (!row.fits) return false
      if (matches(row)) {
        if (this.#rows.length === this.#limit) return false
        this.#rows.push(row)
      }
      this.skipTo(this.#positionOf(row))
      this.#bytesLeft -= row.size + ITEM_BYTES
    }
    return true
  }

  #endWith<Value> (value: Value): Value {
    this.#hasMore = true
    return value
  }
}

function isBelow (one: Position, other: Position): boolean {
  return one.timestamp < other.timestamp || (one.timestamp === other.timestamp && one.sequence < other.sequence)
}
