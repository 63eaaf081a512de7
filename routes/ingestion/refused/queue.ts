import { setImmediate as turn } from 'node:timers/promises'

import type { FastifyBaseLogger } from 'fastify'

import { waitAtMost } from '../../../lib/deadline.js'
import type { RefusedEvent, RefusedEventLimits, RefusedEvents } from '../../../contracts/token-store/index.js'
import { withPayload } from './payload.js'

interface Waiting {
  draft: RefusedEvent
  body: Buffer
  isComplete: boolean
}

/** Estimated maximum size of an event without its payload, bytes. */
const EVENT_BYTES = 4_096
const MAX_WAITING = 2_000
const MAX_WAITING_BYTES = 8 * 1024 * 1024
/** The part of the queue that one source may take, so that its flood leaves room for other sources. */
const SOURCE_SHARE = 0.5
/** Maximum number of events, and approximate bytes, of one write. */
const MAX_WRITE = 200
const MAX_WRITE_BYTES = 2 * 1024 * 1024
/** Milliseconds from one write to the next, which bounds what a flood of refusals costs the database. */
const WRITE_INTERVAL = 500
/** Milliseconds from a failed write to the next. */
const RETRY_INTERVAL = 5_000
const REPORT_INTERVAL = 60_000
/** Milliseconds that closing waits for the last writes. */
const CLOSE_LIMIT = 1_000

/**
 * The refused events that wait for the store. Writes them in the background, at a bounded rate; drops and counts events
 * that find it full.
 */
export class RefusedQueue {
  readonly #store: RefusedEvents
  readonly #limits: RefusedEventLimits
  readonly #log: FastifyBaseLogger
  #waiting: Waiting[] = []
  #bytes = 0
  readonly #bySource = new Map<string, number>()
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<boolean> | null = null
  #dropped = 0
  #reportedAt = -Infinity
  #closed = false

  constructor (store: RefusedEvents, limits: RefusedEventLimits, log: FastifyBaseLogger) {
    this.#store = store
    this.#limits = limits
    this.#log = log
  }

  /** Whether another event of a source may wait. Counts a dropped event if not. */
  hasRoom (sourceId: string): boolean {
    const room = !this.#closed && this.#waiting.length < MAX_WAITING && this.#bytes < MAX_WAITING_BYTES &&
      (this.#bySource.get(sourceId) ?? 0) < MAX_WAITING_BYTES * SOURCE_SHARE
    if (!room) this.drop()
    return room
  }

  /** Counts an event that is not kept. */
  drop (): void {
    this.#dropped++
    this.#report()
  }

  /** Adds an event, whose payload is prepared later. */
  add (draft: RefusedEvent, body: Buffer, isComplete: boolean): void {
    if (!this.hasRoom(draft.sourceId)) return
    this.#waiting.push({ draft, body, isComplete })
    this.#count(draft.sourceId, body.length + EVENT_BYTES)
    this.#schedule(WRITE_INTERVAL)
  }

  /** Writes what waits, within a time limit. */
  async close (): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await waitAtMost(this.#writeAll(), CLOSE_LIMIT)
    this.#dropped += this.#waiting.length
    this.#reportedAt = -Infinity
    this.#report()
  }

  #schedule (delay: number): void {
    if (this.#timer !== null || this.#closed || this.#waiting.length === 0) return
    this.#timer = setTimeout(async () => {
      this.#writing = this.#write()
      const isWritten = await this.#writing
      this.#writing = null
      this.#timer = null
      this.#schedule(isWritten ? WRITE_INTERVAL : RETRY_INTERVAL)
    }, delay).unref()
  }

  async #writeAll (): Promise<void> {
    await this.#writing
    while (this.#waiting.length > 0 && await this.#write()) await turn()
  }

  /** Writes some of the waiting events. Resolves with `false` if the store fails; the events then wait for a retry. */
  async #write (): Promise<boolean> {
    const taken: Waiting[] = []
    let bytes = 0
    for (const entry of this.#waiting) {
      if (taken.length === MAX_WRITE || bytes > MAX_WRITE_BYTES) break
      taken.push(entry)
      bytes += entry.body.length
    }
    const events: RefusedEvent[] = []
    try {
      for (const { draft, body, isComplete } of taken) {
        events.push(withPayload(draft, body, isComplete))
        // Other requests run in between.
        if (events.length % 10 === 0) await turn()
      }
      await this.#store.append(events, this.#limits)
    } catch (err) {
      this.#log.warn({ err }, 'refused events could not be stored; the next write retries')
      return false
    }
    this.#waiting = this.#waiting.slice(taken.length)
    for (const { draft, body } of taken) this.#count(draft.sourceId, -body.length - EVENT_BYTES)
    return true
  }

  #count (sourceId: string, bytes: number): void {
    this.#bytes += bytes
    const left = (this.#bySource.get(sourceId) ?? 0) + bytes
    if (left > 0) this.#bySource.set(sourceId, left)
    else this.#bySource.delete(sourceId)
  }

  #report (): void {
    if (this.#dropped === 0 || performance.now() - this.#reportedAt < REPORT_INTERVAL) return
    this.#reportedAt = performance.now()
    this.#log.warn({ events: this.#dropped }, 'refused events were not kept, because too many were refused at once')
    this.#dropped = 0
  }
}
