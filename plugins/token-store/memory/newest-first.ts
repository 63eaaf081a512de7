import { decodeCursor, encodeCursor } from '../../../lib/database/list/cursor.js'
import type { Position } from '../../../lib/database/list/cursor.js'
import type { Page, PageRequest } from '../../../contracts/token-store/index.js'

interface Placed<Kept> {
  at: Position
  item: Kept
}

/** One page of what matches, newest first; throws `INVALID_REQUEST` for a bad cursor. */
export function newestFirst<Kept, Item> (all: Iterable<Placed<Kept>>, { cursor, limit }: PageRequest, copy: (kept: Kept) => Item): Page<Item> {
  const before = cursor === undefined ? null : decodeCursor(cursor)
  const rest = Array.from(all).filter(({ at }) => before === null || compare(at, before) < 0).sort((a, b) => compare(b.at, a.at))
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  return { data: page.map(({ item }) => copy(item)), nextCursor: last === undefined || rest.length <= limit ? null : encodeCursor(last.at) }
}

function compare (a: Position, b: Position): number {
  return a.timestamp - b.timestamp || a.sequence - b.sequence
}
