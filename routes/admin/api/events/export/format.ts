import { eventJson } from '../../../../../plugins/event-sink/event-view.js'
import type { AcceptedEvent } from '../../../../../contracts/event-sink.js'
import type { ExportFormat } from '../../../../../schemas/event-export.js'
import { CSV_HEADER, csvRecord } from './csv.js'

/** How far an export is. */
export interface ExportState {
  complete: boolean
  /** Number of events of this response. */
  count: number
  /** Where another request continues; `null` at the end. */
  cursor: string | null
  /** Why the response ended early. */
  reason?: string
}

export interface Format {
  contentType: string
  head: string
  record (event: AcceptedEvent): string
  /** A line for times without events, and at the end; `null` if the format has no such lines. */
  state: ((state: ExportState) => string) | null
}

const LINE_BREAKS = /[\r\n]+/g

export const FORMATS: Readonly<Record<ExportFormat, Format>> = {
  ndjson: {
    contentType: 'application/x-ndjson; charset=utf-8',
    head: '',
    // In JSON a line break only occurs between tokens, where a space is equivalent.
    record: (event) => `${eventJson(event).replace(LINE_BREAKS, ' ')}\n`,
    state: (state) => `${JSON.stringify({ export: state })}\n`
  },
  csv: {
    contentType: 'text/csv; charset=utf-8; header=present',
    head: CSV_HEADER,
    record: csvRecord,
    state: null
  }
}
