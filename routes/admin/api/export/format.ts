import type { ExportFormat } from '../../../../schemas/event-export.js'

/** How far an export is. */
export interface ExportState {
  complete: boolean
  /** Number of items of this response. */
  count: number
  /** Where another request continues; `null` at the end. */
  cursor: string | null
  /** Why the response ended early. */
  reason?: string
}

export interface Format<Item> {
  contentType: string
  head: string
  record (item: Item): string
  /** The id of an item, with which a client continues after it. */
  idOf (item: Item): string
  /** A line for times without items, and at the end; `null` if the format has no such lines. */
  state: ((state: ExportState) => string) | null
}

/** How an item is written in each format. */
export interface Records<Item> {
  idOf (item: Item): string
  /** Returns an item as JSON. */
  json (item: Item): string
  csvHead: string
  /** Returns an item as a record of CSV. */
  csv (item: Item): string
}

const LINE_BREAKS = /[\r\n]+/g

export function formatOf<Item> (name: ExportFormat, { idOf, json, csvHead, csv }: Records<Item>): Format<Item> {
  if (name === 'csv') {
    return { contentType: 'text/csv; charset=utf-8; header=present', head: csvHead, record: csv, idOf, state: null }
  }
  return {
    contentType: 'application/x-ndjson; charset=utf-8',
    head: '',
    // In JSON a line break only occurs between tokens, where a space is equivalent.
    record: (item) => `${json(item).replace(LINE_BREAKS, ' ')}\n`,
    idOf,
    state: (state) => `${JSON.stringify({ export: state })}\n`
  }
}
