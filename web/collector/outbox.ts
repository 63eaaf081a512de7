import type { Store } from './store'
import { warn } from './warn'

const MAX_EVENTS = 500
const MAX_CHARACTERS = 512 * 1024
const MAX_EVENT = 64 * 1024
// The server detects duplicates for 24 hours.
const REPEATABLE = 23 * 60 * 60 * 1000
const SLOT = 'e.'

export interface Item {
  readonly slot: string
  json: string
  /** Left by another page, possibly another tab that still sends it. */
  readonly adopted: boolean
  /** Sent on leaving, so that its response may never arrive. */
  handed: boolean
  /** Incomplete: neither this event nor a later one is sent. */
  deferred: boolean
}

export interface Outbox {
  /** Adopts events that earlier pages left. */
  adopt (): void
  /** Adds an event; with `deferred`, it waits for `release`. Returns `null` if it is too large. */
  add (messageId: string, json: string, deferred?: boolean): Item | null
  /** Completes a deferred event. */
  release (item: Item, json: string): void
  /** Returns the oldest events that are not handed over, up to the first deferred event. */
  next (count: number): Item[]
  handOver (items: readonly Item[]): void
  /** Marks events to be sent again. */
  takeBack (items?: readonly Item[]): void
  remove (items: readonly Item[]): void
}

/**
 * Keeps unconfirmed events, each in a separate slot of localStorage, so that tabs do not overwrite each other's events.
 * Two tabs may send the same event; the server detects the duplicate by its messageId.
 */
export function openOutbox (store: Store): Outbox {
  let items: Item[] = []
  let characters = 0
  let turn = 0

  function put (item: Item): void {
    items.push(item)
    characters += item.json.length
    while (items.length > MAX_EVENTS || characters > MAX_CHARACTERS) {
      warn('too many events are waiting; the oldest are dropped')
      remove(items.slice(0, 1))
    }
  }

  function remove (removed: readonly Item[]): void {
    for (const { slot } of removed) store.remove(slot)
    items = items.filter((item) => !removed.includes(item))
    characters = items.reduce((sum, { json }) => sum + json.length, 0)
  }

  return {
    remove,
    adopt () {
      const known = new Set(items.map(({ slot }) => slot))
      for (const slot of store.names(SLOT)) {
        const value = store.get(slot)
        if (known.has(slot) || value === null) continue
        const start = value.indexOf('{')
        // Handed over so long ago that the server would store a repeat as a new event; it was probably delivered.
        if (start === -1 || (start > 0 && Date.now() - Number(value.slice(0, start)) > REPEATABLE)) store.remove(slot)
        else put({ slot, json: value.slice(start), adopted: true, handed: false, deferred: false })
      }
    },
    add (messageId, json, deferred = false) {
      if (json.length > MAX_EVENT) return null
      // Slots sort by time and, within a millisecond, by a counter.
      const slot = `${SLOT}${Date.now()}${String(turn++ % 1_000).padStart(3, '0')}.${messageId}`
      store.set(slot, json)
      const item = { slot, json, adopted: false, handed: false, deferred }
      put(item)
      return item
    },
    release (item, json) {
      item.deferred = false
      if (!items.includes(item) || json.length > MAX_EVENT) return
      characters += json.length - item.json.length
      item.json = json
      store.set(item.slot, json)
    },
    next (count) {
      const delivered = items.filter(({ adopted, slot }) => adopted && store.get(slot) === null)
      if (delivered.length > 0) remove(delivered)
      const waiting = items.filter(({ handed }) => !handed)
      const deferred = waiting.findIndex((item) => item.deferred)
      return waiting.slice(0, deferred === -1 ? count : Math.min(deferred, count))
    },
    handOver (handed) {
      for (const item of handed) {
        item.handed = true
        store.set(item.slot, `${Date.now()}${item.json}`)
      }
    },
    takeBack (back = items) {
      for (const item of back) {
        if (item.handed && store.get(item.slot) !== null) store.set(item.slot, item.json)
        item.handed = false
      }
    }
  }
}
