import { INTERNAL_ERROR, INVALID_OPTIONS, UNAVAILABLE } from '../errors.js'
import type { AcceptedEvent } from './sink.js'

export interface GroupCommitOptions {
  /** Makes the events of one or more writes durable, all of them or none. */
  flush: (events: readonly AcceptedEvent[]) => Promise<void>
  /** Whether a failed flush blames the data, not the backend: its writes are then tried in halves. Default: never. */
  isDataError?: (error: unknown) => boolean
  /** Events that may wait, those in flight included; more are refused with `UNAVAILABLE`. Default: 10 000. */
  maxPending?: number | undefined
  /** Milliseconds until a write that is not confirmed rejects with `UNAVAILABLE`. Default: 5 000. */
  ackTimeout?: number | undefined
  /** Events of one flush at most; a single larger write still goes whole. Default: 2 000. */
  maxBatch?: number | undefined
}

interface Waiter {
  events: readonly AcceptedEvent[]
  /** Characters of JSON text. */
  size: number
  deadline: number
  settled: boolean
  resolve: () => void
  reject: (error: unknown) => void
}

/** Characters of JSON text that may wait: with events of the largest size `maxPending` alone would not bound the memory. */
const MAX_PENDING_TEXT = 64 * 1024 * 1024
/** Characters of one flush at most, a single larger write apart: making the parameters of a statement holds the event loop. */
const MAX_BATCH_TEXT = 1024 * 1024
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Puts the events of many requests into one flush. One flush is in flight at a time and the next starts the moment it returns, with
 * all that has come meanwhile: the batch sizes itself by the backend's speed, with no timer to tune.
 */
export class GroupCommit {
  readonly #flush: (events: readonly AcceptedEvent[]) => Promise<void>
  readonly #isDataError: (error: unknown) => boolean
  readonly #maxPending: number
  readonly #ackTimeout: number
  readonly #maxBatch: number
  readonly #queue: Waiter[] = []
  #inFlight: Waiter[] = []
  #pending = 0
  #pendingText = 0
  #running: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null
  #closed = false

  constructor ({ flush, isDataError = () => false, maxPending = 10_000, ackTimeout = 5_000, maxBatch = 2_000 }: GroupCommitOptions) {
    for (const [name, value] of Object.entries({ maxPending, ackTimeout, maxBatch })) {
      if (!Number.isInteger(value) || value < 1) throw new INVALID_OPTIONS(`event-sink: "${name}" must be a positive integer`)
    }
    if (ackTimeout > LONGEST_TIMER) throw new INVALID_OPTIONS(`event-sink: "ackTimeout" must be at most ${LONGEST_TIMER} milliseconds`)
    this.#flush = flush
    this.#isDataError = isDataError
    this.#maxPending = maxPending
    this.#ackTimeout = ackTimeout
    this.#maxBatch = maxBatch
  }

  /** Events that wait or are in flight. */
  get pending (): number {
    return this.#pending
  }

  get closed (): boolean {
    return this.#closed
  }

  write (events: readonly AcceptedEvent[]): Promise<void> {
    if (events.length === 0) return Promise.resolve()
    if (this.#closed) return Promise.reject(new UNAVAILABLE({ reason: 'the event sink is closed' }))
    const size = sizeOf(events)
    if (this.#pending + events.length > this.#maxPending || (this.#pending > 0 && this.#pendingText + size > MAX_PENDING_TEXT)) {
      return Promise.reject(new UNAVAILABLE({ reason: 'too many events wait for the event sink' }))
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ events, size, deadline: Date.now() + this.#ackTimeout, settled: false, resolve, reject })
      this.#pending += events.length
      this.#pendingText += size
      this.#timer ??= setTimeout(this.#expire, this.#ackTimeout).unref()
      this.#running ??= this.#run()
    })
  }

  /** Flushes what waits and refuses what comes after; resolves within `ackTimeout`, even if the backend never answers. */
  async close (): Promise<void> {
    this.#closed = true
    let limit: NodeJS.Timeout | undefined
    // By then nobody is left who waits for an answer.
    const timeout = new Promise<void>((resolve) => { limit = setTimeout(resolve, this.#ackTimeout) })
    await Promise.race([this.#running, timeout])
    clearTimeout(limit)
    if (this.#running === null && this.#timer !== null) clearTimeout(this.#timer)
  }

  async #run (): Promise<void> {
    while (this.#queue.length > 0) {
      this.#inFlight = this.#take()
      await this.#commit(this.#inFlight)
      this.#inFlight.forEach(this.#forget)
      this.#inFlight = []
    }
    this.#running = null
  }

  #take (): Waiter[] {
    let count = 0
    let total = 0
    let text = 0
    for (const { events, size } of this.#queue) {
      total += events.length
      text += size
      if (count > 0 && (total > this.#maxBatch || text > MAX_BATCH_TEXT)) break
      count++
    }
    return this.#queue.splice(0, count)
  }

  readonly #forget = ({ events, size }: Waiter): void => {
    this.#pending -= events.length
    this.#pendingText -= size
  }

  async #commit (waiters: Waiter[]): Promise<void> {
    try {
      const [only] = waiters
      await this.#flush(only !== undefined && waiters.length === 1 ? only.events : waiters.flatMap((waiter) => waiter.events))
    } catch (error) {
      const blamed = this.#isDataError(error)
      if (blamed && waiters.length > 1) {
        const half = waiters.length >> 1
        await this.#commit(waiters.slice(0, half))
        await this.#commit(waiters.slice(half))
        return
      }
      // What a client can't mend is ours to blame; what may pass later it shall send again.
      const refusal = blamed ? new INTERNAL_ERROR({ cause: error }) : new UNAVAILABLE({ cause: error })
      for (const waiter of waiters) settle(waiter, refusal)
      return
    }
    for (const waiter of waiters) settle(waiter, null)
  }

  // One timer for all: deadlines come in the order of the writes.
  readonly #expire = (): void => {
    this.#timer = null
    const now = Date.now()
    const late = new UNAVAILABLE({ reason: 'the event sink did not confirm in time' })
    while (this.#queue[0] !== undefined && this.#queue[0].deadline <= now) {
      const waiter = this.#queue.shift() as Waiter
      settle(waiter, late)
      this.#forget(waiter)
    }
    // What is in flight may still be written: the client's repeat is then known from before.
    for (const waiter of this.#inFlight) if (waiter.deadline <= now) settle(waiter, late)
    const next = this.#inFlight.find((waiter) => !waiter.settled) ?? this.#queue[0]
    if (next !== undefined) this.#timer = setTimeout(this.#expire, Math.max(1, next.deadline - now)).unref()
  }
}

function sizeOf (events: readonly AcceptedEvent[]): number {
  let size = 0
  for (const { payload, additions } of events) size += payload.length + additions.length
  return size
}

function settle (waiter: Waiter, error: Error | null): void {
  if (waiter.settled) return
  waiter.settled = true
  if (error === null) waiter.resolve()
  else waiter.reject(error)
}
