import type { EventType } from '../../../../contracts/event-sink.js'

export type Outcome = 'accepted' | 'refused'

/** The properties of an item that a viewer can filter by. */
export interface ItemProperties {
  outcome: Outcome
  sourceId: string
  /** `null` if the type is unknown. */
  type: EventType | null
}

/** An event as it is sent to viewers. */
export interface LiveItem extends ItemProperties {
  /** The sequence number in the channel. */
  at: number
  frame: Buffer
}

const LINE_BREAKS = /[\r\n]+/g

/** Returns one message of the stream; `json` is the JSON text of its data. */
export function frameOf (event: Outcome | 'stats' | 'dropped', json: string, id?: string): Buffer {
  // A line break would end the data line. In JSON it only occurs between tokens, where a space is equivalent.
  return Buffer.from(
    `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${json.replace(LINE_BREAKS, ' ')}\n\n`
  )
}
