import type { EventType } from '../../../../contracts/event-sink.js'

export type Outcome = 'accepted' | 'refused'

/** What a viewer may narrow the stream by, and what each item is known by. */
export interface Facts {
  outcome: Outcome
  sourceId: string
  /** `null`: not known. */
  type: EventType | null
}

/** An event as it goes to every viewer who wants it. */
export interface LiveItem extends Facts {
  /** Its place in the channel. */
  at: number
  frame: Buffer
}

const LINE_BREAKS = /[\r\n]+/g

/** One message of the stream; `json` is the JSON text of its data. */
export function frameOf (event: Outcome | 'stats' | 'dropped', json: string, id?: string): Buffer {
  // A line break would end the line of the data. In JSON it stands between two tokens alone, where a space is the same.
  return Buffer.from(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${json.replace(LINE_BREAKS, ' ')}\n\n`)
}
