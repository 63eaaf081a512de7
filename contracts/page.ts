/** One page of a list, newest first. A list may end a page early to limit its cost: with fewer items, even none. */
export interface Page<Item> {
  data: Item[]
  /** Opaque. Pass it as `cursor` to read the next page. `null` on the last page. */
  nextCursor: string | null
}

/** Selects one page of a list. */
export interface PageRequest {
  /** The `nextCursor` of the previous page; any other string rejects with `INVALID_REQUEST`. Default: first page. */
  cursor?: string | undefined
  /** Maximum number of items, 1 to 1 000. */
  limit: number
  /** Cancels the list when it aborts: no further statement is sent, and the list rejects or ends the page. */
  signal?: AbortSignal | undefined
}
