import { decodeCursor, encodeCursor } from '../../../lib/database/list/cursor.js'
import type { Position } from '../../../lib/database/list/cursor.js'
import { PAGE_BYTES } from '../../../lib/database/list/budget.js'
import type { Page, PageRequest } from '../../../contracts/token-store/index.js'
import { toDate } from './times.js'

/** Where the page before ended, as columns compare it; `null` for the first page. Throws `INVALID_REQUEST` for a bad cursor. */
export function afterCursor ({ cursor }: PageRequest): { date: Date, seq: string } | null {
  if (cursor === undefined) return null
  const { timestamp, sequence } = decodeCursor(cursor)
  return { date: toDate(timestamp), seq: String(sequence) }
}

/** A page of rows, of which one more than asked for was read to know whether there is a next one; it ends early where its items are large. */
export function toPage<Row, Item> (rows: readonly Row[], { limit }: PageRequest, toItem: (row: Row) => Item, positionOf: (row: Row) => Position): Page<Item> {
  const data: Item[] = []
  let bytes = 0
  for (const [at, row] of rows.entries()) {
    const before = rows[at - 1]
    if (before !== undefined && (at === limit || bytes >= PAGE_BYTES)) return { data, nextCursor: encodeCursor(positionOf(before)) }
    const item = toItem(row)
    data.push(item)
    bytes += JSON.stringify(item).length
  }
  return { data, nextCursor: null }
}
