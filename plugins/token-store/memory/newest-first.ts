import { decodeCursor, encodeCursor } from '../../../lib/database/list/cursor.js'
import type { Position } from '../../../lib/database/list/cursor.js'
import type { Page, PageRequest } from '../../../contracts/token-store/index.js'

interface Positioned<Stored> {
  position: Position
  item: Stored
}

/** Returns one page of the items, newest first. Throws `INVALID_REQUEST` for an invalid cursor. */
export function newestFirst<Stored, Item> (
  all: Iterable<Positioned<Stored>>,
  { cursor, limit }: PageRequest,
  copy: (stored: Stored) => Item
): Page<Item> {
  const before = cursor === undefined ? null : decodeCursor(cursor)
  const rest = Array.from(all).filter(({ position }) => before === null || compare(position, before) < 0).sort((a, b) =>
    compare(b.position, a.position)
  )
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  return {
    data: page.map(({ item }) => copy(item)),
    nextCursor: last === undefined || rest.length <= limit ? null : encodeCursor(last.position)
  }
}

function compare (a: Position, b: Position): number {
  return a.timestamp - b.timestamp || a.sequence - b.sequence
}
