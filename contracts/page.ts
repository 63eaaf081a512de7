/** One page of a list, newest first. A list that has looked for long enough may end it early: with fewer items than asked for, even with none. */
export interface Page<Item> {
  data: Item[]
  /** Opaque; give it back to read on. `null` at the end. */
  nextCursor: string | null
}

export interface PageRequest {
  /** The `nextCursor` of the page before. A text that is none rejects with `INVALID_REQUEST`. */
  cursor?: string | undefined
  /** 1 to 100. */
  limit: number
  /** Aborts when nobody waits for the page any more: a list then asks its backend nothing further, and rejects or ends the page as it likes. */
  signal?: AbortSignal | undefined
}
