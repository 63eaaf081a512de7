import { decodeCursor, encodeCursor } from '../cursor.js'
import type { Position } from '../cursor.js'
import type { Page, PageRequest } from '../store.js'
import { toDate } from './times.js'

/** Where the page before ended, as columns compare it; `null` for the first page. Throws `INVALID_REQUEST` for a bad cursor. */
export function afterCursor ({ cursor }: PageRequest): { date: Date, seq: string } | null {
  if (cursor === undefined) return null
  const { timestamp, sequence } = decodeCursor(cursor)
  return { date: toDate(timestamp), seq: String(sequence) }
}

/** A page of rows, of which one more than asked for was read to know whether there is a next one. */
export function toPage<Row, Item> (rows: readonly Row[], { limit }: PageRequest, toItem: (row: Row) => Item, positionOf: (row: Row) => Position): Page<Item> {
  const last = rows.length > limit ? rows[limit - 1] : undefined
  return { data: rows.slice(0, limit).map(toItem), nextCursor: last === undefined ? null : encodeCursor(positionOf(last)) }
}
