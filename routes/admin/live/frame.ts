import type { EventType } from '../../../plugins/event-sink/sink.js'

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

/** One message of the stream. JSON text has no line breaks, which would end its line. */
export function frameOf (event: Outcome | 'stats' | 'dropped', data: object, id?: string): Buffer {
  return Buffer.from(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}
