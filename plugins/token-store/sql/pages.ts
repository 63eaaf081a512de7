import type { CompiledQuery } from 'kysely'

import { decodeCursor, encodeCursor } from '../../../lib/database/list/cursor.js'
import type { Position } from '../../../lib/database/list/cursor.js'
import { PAGE_BYTES } from '../../../lib/database/list/budget.js'
import type { Page, PageRequest } from '../../../contracts/token-store/index.js'
import type { ListReads } from '../../../lib/database/list/reads.js'
import { toDate, toMilliseconds } from './times.js'

/**
 * Returns the cursor's position for comparing columns; `null` for the first page. Throws `INVALID_REQUEST` if invalid.
 */
export function afterCursor ({ cursor }: PageRequest): { date: Date, seq: string } | null {
  if (cursor === undefined) return null
  const { timestamp, sequence } = decodeCursor(cursor)
  return { date: toDate(timestamp), seq: String(sequence) }
}

/** Converts `limit + 1` rows to a page; the extra row shows that there is a next page. Ends early for large items. */
function toPage<Row, Item> (
  rows: readonly Row[],
  { limit }: PageRequest,
  toItem: (row: Row) => Item,
  positionOf: (row: Row) => Position
): Page<Item> {
  const data: Item[] = []
  let bytes = 0
  for (const [at, row] of rows.entries()) {
    const before = rows[at - 1]
    if (before !== undefined && (at === limit || bytes >= PAGE_BYTES)) {
      return { data, nextCursor: encodeCursor(positionOf(before)) }
    }
    const item = toItem(row)
    data.push(item)
    bytes += JSON.stringify(item).length
  }
  return { data, nextCursor: null }
}

/** Reads a page with a query of `limit + 1` rows, ordered by `created_at` and `seq`, newest first. */
export async function readPage<Row extends { created_at: Date, seq: string }, Item> (
  lists: ListReads,
  query: { compile(): CompiledQuery<Row> },
  page: PageRequest,
  toItem: (row: Row) => Item
): Promise<Page<Item>> {
  const { rows } = await lists.read((reader) => reader.executeQuery(query.compile()), page.signal)
  return toPage(rows, page, toItem, (row) => ({
    timestamp: toMilliseconds(row.created_at),
    sequence: Number(row.seq)
  }))
}
