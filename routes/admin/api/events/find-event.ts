import { setImmediate as turn } from 'node:timers/promises'

import { publicId, receivedAtOf } from '../../../../plugins/event-sink/public-id.js'
import type { AcceptedEvent, ReadableEventSink } from '../../../../contracts/event-sink.js'

/** Events that a request of the sink returns: most milliseconds have fewer. */
const LIMIT = 100

/**
 * Resolves with the event of an organisation that has a public id, or with `null`. Reads the events that were received
 * in the millisecond that the id contains.
 */
export async function findEvent (
  sink: ReadableEventSink,
  orgId: string,
  id: string,
  signal: AbortSignal
): Promise<AcceptedEvent | null> {
  const time = receivedAtOf(id)
  if (time === null) return null
  let cursor: string | undefined
  do {
    const page = await sink.list(orgId, { from: time, to: time }, { cursor, limit: LIMIT, signal })
    const event = page.data.find((candidate) => publicId(candidate) === id)
    if (event !== undefined) return event
    cursor = page.nextCursor ?? undefined
    await turn()
  } while (cursor !== undefined && !signal.aborted)
  return null
}
