import { DEDUPLICATION_WINDOW } from '../../contracts/event-sink.js'
import type { AcceptedEvent } from '../../contracts/event-sink.js'
import { eventId, wordOfId } from './event-id.js'

const SLOTS = 2 ** 17
const WORDS = 4

/**
 * A cache of recently stored event ids, so that most duplicates need no query. Each id has one slot, which a newer id
 * overwrites: 3 MB outside of garbage collection. The database knows the ids that were overwritten.
 */
export class KnownIds {
  readonly #ids = new Uint32Array(SLOTS * WORDS)
  readonly #seenAt = new Float64Array(SLOTS).fill(-Infinity)

  has (id: string, receivedAt: number): boolean {
    const slot = slotOf(id)
    for (let word = 0; word < WORDS; word++) {
      if (this.#ids[slot * WORDS + word] !== wordOfId(id, word)) return false
    }
    return receivedAt - (this.#seenAt[slot] ?? -Infinity) < DEDUPLICATION_WINDOW
  }

  add (id: string, receivedAt: number): void {
    const slot = slotOf(id)
    for (let word = 0; word < WORDS; word++) this.#ids[slot * WORDS + word] = wordOfId(id, word)
    this.#seenAt[slot] = receivedAt
  }

  /**
   * Returns the events that are not known and do not repeat an earlier event of the list, by id. Sets `repeat` of the
   * other events, if they ask for it.
   */
  unknownOf (events: readonly AcceptedEvent[]): Map<string, AcceptedEvent> {
    const fresh = new Map<string, AcceptedEvent>()
    for (const event of events) {
      const id = eventId(event)
      if (!fresh.has(id) && !this.has(id, event.receivedAt)) fresh.set(id, event)
      else if (event.repeat === false) event.repeat = true
    }
    return fresh
  }

  /** Adds the ids of events that were stored. */
  addAll (events: ReadonlyMap<string, AcceptedEvent>): void {
    for (const [id, { receivedAt }] of events) this.add(id, receivedAt)
  }
}

function slotOf (id: string): number {
  return wordOfId(id, 0) % SLOTS
}
