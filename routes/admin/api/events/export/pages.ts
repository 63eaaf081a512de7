import { INVALID_REQUEST } from '../../../../../lib/errors.js'
import { publicId, receivedAtOf } from '../../../../../plugins/event-sink/public-id.js'
import type { AcceptedEvent, EventFilter, ReadableEventSink } from '../../../../../contracts/event-sink.js'
import type { SealedCursors } from '../../page-request.js'

/** Events of one page of an export. */
export interface ExportPage {
  events: AcceptedEvent[]
  /** Where the next page starts; `null` after the last page. */
  next: string | null
}

export interface ExportSource {
  sink: ReadableEventSink
  orgId: string
  filter: EventFilter
  /** The id of an event, or the `next` of a page. Default: from the newest event. */
  cursor: string | undefined
  cursors: SealedCursors
  signal: AbortSignal
}

/** Maximum number of events that are in memory at a time; the sink also limits their bytes. */
const PAGE_SIZE = 250

/** Yields the pages of an export after its cursor. Throws `INVALID_REQUEST` for a cursor that is not of this export. */
export async function * exportPages (
  { sink, orgId, filter, cursor, cursors, signal }: ExportSource
): AsyncGenerator<ExportPage, undefined> {
  const time = cursor === undefined ? null : receivedAtOf(cursor)
  let position = cursor === undefined || time !== null ? undefined : cursors.open(cursor)
  // The page that contains the last exported event is read again.
  let skipTo = time === null ? undefined : cursor
  const part = time === null ? filter : { ...filter, to: Math.min(time, filter.to ?? Infinity) }
  do {
    const { data, nextCursor } = await sink.list(orgId, part, { limit: PAGE_SIZE, cursor: position, signal })
    let events = data
    if (skipTo !== undefined) {
      const place = data.findIndex((event) => publicId(event) === skipTo)
      if (place === -1) {
        if (nextCursor === null || data.some(({ receivedAt }) => receivedAt !== time)) throw unknownEvent()
        events = []
      } else {
        events = data.slice(place + 1)
        skipTo = undefined
      }
    }
    position = nextCursor ?? undefined
    if (skipTo === undefined) yield { events, next: nextCursor === null ? null : cursors.seal(nextCursor) }
  } while (position !== undefined && !signal.aborted)
}

function unknownEvent (): Error {
  return new INVALID_REQUEST({
    message: 'The cursor is not the id of an event that this export contains: send the same filters as before'
  })
}
