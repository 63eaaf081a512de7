import { setImmediate as turn } from 'node:timers/promises'

import { eventJson } from '../../../../plugins/event-sink/event-view.js'
import type { AcceptedEvent } from '../../../../contracts/event-sink.js'

/** Characters that are written before other requests run: one or two milliseconds of work. */
export const MAX_CHARACTERS_PER_TURN = 131_072

/** Returns the elements of a JSON array of events, as text. */
export async function joinEvents (events: readonly AcceptedEvent[]): Promise<string> {
  const texts: string[] = []
  let written = 0
  for (const event of events) {
    if (written > MAX_CHARACTERS_PER_TURN) {
      await turn()
      written = 0
    }
    written += texts[texts.push(eventJson(event)) - 1]?.length ?? 0
  }
  return texts.join(',')
}
