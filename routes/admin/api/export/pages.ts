import type { Page, PageRequest } from '../../../../contracts/page.js'
import { INVALID_REQUEST } from '../../../../lib/errors.js'
import type { SealedCursors } from '../page-request.js'

/** A list that can be exported: its items by their time of receipt, newest first. */
export interface ExportList<Item> {
  /** Reads a page of the items that were received at `to` or before, epoch milliseconds; `undefined`: of all. */
  list (to: number | undefined, page: PageRequest): Promise<Page<Item>>
  /** The latest time of the filter. */
  to: number | undefined
  idOf (item: Item): string
  /** When an item was received, epoch milliseconds. */
  timeOf (item: Item): number
  /** Returns when the item of an id was received; `null` if the text is not an id. */
  timeOfId (text: string): number | null | Promise<number | null>
}

/** Items of one page of an export. */
export interface ExportPage<Item> {
  items: Item[]
  /** Where the next page starts; `null` after the last page. */
  next: string | null
}

export interface ExportSelection<Item> {
  list: ExportList<Item>
  /** The id of an item, or the `next` of a page. Default: from the newest item. */
  cursor: string | undefined
  cursors: SealedCursors
  signal: AbortSignal
}

/** Maximum number of items that are in memory at a time; the list also limits their bytes. */
const PAGE_SIZE = 250

/** Yields the pages of an export after its cursor. Throws `INVALID_REQUEST` for a cursor that is not of this export. */
export async function * exportPages<Item> (
  { list, cursor, cursors, signal }: ExportSelection<Item>
): AsyncGenerator<ExportPage<Item>, undefined> {
  const time = cursor === undefined ? null : await list.timeOfId(cursor)
  let position = cursor === undefined || time !== null ? undefined : cursors.open(cursor)
  // The page that contains the last exported item is read again.
  let skipTo = time === null ? undefined : cursor
  const to = time === null ? list.to : Math.min(time, list.to ?? Infinity)
  do {
    const { data, nextCursor } = await list.list(to, { limit: PAGE_SIZE, cursor: position, signal })
    let items = data
    if (skipTo !== undefined) {
      const place = data.findIndex((item) => list.idOf(item) === skipTo)
      if (place === -1) {
        if (nextCursor === null || data.some((item) => list.timeOf(item) !== time)) throw unknownItem()
        items = []
      } else {
        items = data.slice(place + 1)
        skipTo = undefined
      }
    }
    position = nextCursor ?? undefined
    if (skipTo === undefined) yield { items, next: nextCursor === null ? null : cursors.seal(nextCursor) }
  } while (position !== undefined && !signal.aborted)
}

function unknownItem (): Error {
  return new INVALID_REQUEST({
    message: 'The cursor is not the id of an event that this export contains: send the same filters as before'
  })
}
