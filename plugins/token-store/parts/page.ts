/** One page of a list, newest first. */
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
}
