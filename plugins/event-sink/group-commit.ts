import { CHANNELS } from '../../lib/channels.js'
import type { QueuedMessage, Step } from '../../lib/channels.js'
import { traced } from '../../lib/trace.js'
import { INTERNAL_ERROR, UNAVAILABLE } from '../../lib/errors.js'
import { LONGEST_TIMER } from '../../lib/deadline.js'
import { assertWholeNumber } from '../../lib/options.js'
import type { ReadPools } from '../../contracts/backend-load.js'
import type { AcceptedEvent, SinkLoad } from '../../contracts/event-sink.js'

/** Options of `GroupCommit`. */
export interface GroupCommitOptions {
  /** Stores the events of one or more writes durably, all or none. May resolve with the number of duplicates. */
  flush: (events: readonly AcceptedEvent[]) => Promise<number> | Promise<void>
  /** The pools of the database, for metrics. Default: none. */
  pools?: ReadPools | undefined
  /** Whether an error blames the data, not the backend: the writes are then retried in halves. Default: never. */
  isDataError?: (error: unknown) => boolean
  /**
   * Maximum number of pending events, in flight included; further writes reject with `UNAVAILABLE`. Default: 10 000.
   */
  maxPending?: number | undefined
  /** Milliseconds until an unconfirmed write rejects with `UNAVAILABLE`. Default: 5 000. */
  ackTimeout?: number | undefined
  /**
   * Maximum number of events in one flush; a single larger write is sent whole. When a full batch waits, a second flush
   * runs concurrently. Default: 2 000.
   */
  maxBatch?: number | undefined
}

interface Waiter {
  events: readonly AcceptedEvent[]
  /** Characters of JSON. */
  characters: number
  /** The trace of the request; `null` if nothing traces it. */
  origin: unknown
  /** By `performance.now`, a monotonic clock. */
  deadline: number
  settled: boolean
  resolve: () => void
  reject: (error: unknown) => void
}

interface Amount {
  events: number
  /** Characters of JSON. */
  characters: number
}

/** Maximum characters of pending JSON; with large events `maxPending` alone would not bound the memory. */
const MAX_PENDING_CHARACTERS = 64 * 1024 * 1024
/** Maximum characters of one flush, except a single larger write: encoding it blocks the event loop. */
const MAX_BATCH_CHARACTERS = 1024 * 1024

/**
 * Number of waiting events at which a flush starts at once. A smaller one after a pause waits until the event loop has
 * read the requests that have arrived: a transaction costs PostgreSQL as much as 20 events.
 */
const ENOUGH_EVENTS = 32

/** The backend works on one batch while the next is prepared. */
const MAX_BATCHES_IN_FLIGHT = 2

/**
 * Combines the events of many requests into one flush. The next flush starts when the previous one returns, with all
 * events that arrived meanwhile, so that the batch size follows the backend's speed without a timer. The first flush
 * after a pause starts in the same turn of the event loop, after its requests. A second flush runs concurrently only
 * when a full batch waits.
 */
export class GroupCommit {
  /** Counters for metrics. */
  readonly load: SinkLoad
  readonly #flush: GroupCommitOptions['flush']
  readonly #isDataError: (error: unknown) => boolean
  readonly #maxPending: number
  readonly #ackTimeout: number
  readonly #maxBatch: number
  readonly #queue: Waiter[] = []
  readonly #batches = new Set<Waiter[]>()
  readonly #waiting: Amount = { events: 0, characters: 0 }
  readonly #inFlight: Amount = { events: 0, characters: 0 }
  #drained: (() => void) | null = null
  #timer: NodeJS.Timeout | null = null
  #soon: NodeJS.Immediate | null = null
  #closed = false
  #stored = 0
  #duplicates = 0

  constructor (
    { flush, pools, isDataError = () => false, maxPending = 10_000, ackTimeout = 5_000, maxBatch = 2_000 }:
    GroupCommitOptions
  ) {
    assertWholeNumber('event-sink', 'maxPending', maxPending)
    assertWholeNumber('event-sink', 'ackTimeout', ackTimeout, { max: LONGEST_TIMER, unit: 'milliseconds' })
    assertWholeNumber('event-sink', 'maxBatch', maxBatch)
    this.#flush = flush
    this.#isDataError = isDataError
    this.#maxPending = maxPending
    this.#ackTimeout = ackTimeout
    this.#maxBatch = maxBatch
    this.load = loadOf(this, pools)
  }

  /** Number of events that are queued or in flight. */
  get pending (): number {
    return this.#waiting.events + this.#inFlight.events
  }

  /** Number of events that were stored. */
  get stored (): number {
    return this.#stored
  }

  /** Number of events that were dropped as duplicates. */
  get duplicates (): number {
    return this.#duplicates
  }

  get closed (): boolean {
    return this.#closed
  }

  /** Queues events; resolves when they are durable. Rejects with `UNAVAILABLE` if the queue is full or closed. */
  write (events: readonly AcceptedEvent[]): Promise<void> {
    if (events.length === 0) return Promise.resolve()
    if (this.#closed) return Promise.reject(new UNAVAILABLE({ reason: 'the event sink is closed' }))
    const characters = charactersOf(events)
    const { pending } = this
    const pendingCharacters = this.#waiting.characters + this.#inFlight.characters
    if (
      pending + events.length > this.#maxPending ||
      (pending > 0 && pendingCharacters + characters > MAX_PENDING_CHARACTERS)
    ) {
      return Promise.reject(new UNAVAILABLE({ reason: 'too many events are pending in the event sink' }))
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({
        events,
        characters,
        origin: CHANNELS.queued.hasSubscribers ? originOf(this.load) : null,
        deadline: performance.now() + this.#ackTimeout,
        settled: false,
        resolve,
        reject
      })
      add(this.#waiting, events.length, characters)
      this.#timer ??= setTimeout(this.#expire, this.#ackTimeout).unref()
      if (this.#batches.size > 0 || this.#waiting.events >= ENOUGH_EVENTS || this.#holdsWholeBatch()) this.#start()
      else this.#soon ??= setImmediate(this.#startNow)
    })
  }

  /** Flushes the queue and rejects further writes. Resolves within `ackTimeout`, even if the backend hangs. */
  async close (): Promise<void> {
    this.#closed = true
    this.#start()
    if (this.#batches.size > 0) {
      let limit: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#drained = resolve
        limit = setTimeout(() => {
          // Timers may fire slightly early, and no later timer keeps the process alive.
          this.#refuseUntil(Infinity)
          resolve()
        }, this.#ackTimeout)
      })
      clearTimeout(limit)
    }
    if (this.#batches.size === 0 && this.#timer !== null) clearTimeout(this.#timer)
  }

  readonly #startNow = (): void => {
    this.#soon = null
    this.#start()
  }

  #start (): void {
    while (
      this.#queue.length > 0 &&
      (this.#batches.size === 0 || (this.#batches.size < MAX_BATCHES_IN_FLIGHT && this.#holdsWholeBatch()))
    ) {
      this.send(this.#take())
    }
  }

  #holdsWholeBatch (): boolean {
    return this.#waiting.events >= this.#maxBatch || this.#waiting.characters >= MAX_BATCH_CHARACTERS
  }

  #take (): Waiter[] {
    let count = 0
    let total = 0
    let size = 0
    for (const { events, characters } of this.#queue) {
      if (count > 0 && (total + events.length > this.#maxBatch || size + characters > MAX_BATCH_CHARACTERS)) break
      total += events.length
      size += characters
      count++
    }
    add(this.#waiting, -total, -size)
    add(this.#inFlight, total, size)
    return this.#queue.splice(0, count)
  }

  async send (waiters: Waiter[]): Promise<void> {
    this.#batches.add(waiters)
    const outcome = await this.#commit(waiters)
    this.#batches.delete(waiters)
    for (const { events, characters } of waiters) add(this.#inFlight, -events.length, -characters)
    // Starts the next flush first, so that the backend does not idle while responses are written.
    this.#start()
    for (const waiter of waiters) settle(waiter, outcome)
    if (this.#batches.size === 0) this.#drained?.()
  }

  /** Resolves with the error for the writes that are not settled yet; `null` if they are durable. */
  async #commit (waiters: Waiter[]): Promise<Error | null> {
    try {
      if (CHANNELS.step.hasSubscribers) await traced(flushStep(waiters), () => this.#flushAll(eventsOf(waiters)))
      else await this.#flushAll(eventsOf(waiters))
      return null
    } catch (error) {
      // Data errors become 500; backend errors become 503, so that clients retry.
      if (!this.#isDataError(error)) return new UNAVAILABLE({ cause: error })
      if (waiters.length === 1) return new INTERNAL_ERROR({ cause: error })
    }
    const half = waiters.length >> 1
    for (const part of [waiters.slice(0, half), waiters.slice(half)]) {
      const outcome = await this.#commit(part)
      for (const waiter of part) settle(waiter, outcome)
    }
    return null
  }

  async #flushAll (events: readonly AcceptedEvent[]): Promise<void> {
    const start = performance.now()
    let failed = true
    try {
      const duplicates = await this.#flush(events) ?? 0
      this.#stored += events.length - duplicates
      this.#duplicates += duplicates
      failed = false
    } finally {
      if (CHANNELS.flush.hasSubscribers) {
        const duration = performance.now() - start
        CHANNELS.flush.publish({ load: this.load, events: events.length, duration, failed })
      }
    }
  }

  // One timer for all writes: their deadlines are in the order of the queue.
  readonly #expire = (): void => {
    this.#timer = null
    const now = performance.now()
    const next = this.#refuseUntil(now)
    if (next !== undefined) this.#timer = setTimeout(this.#expire, Math.max(1, next.deadline - now)).unref()
  }

  /** Rejects the writes whose deadline has passed; returns the first remaining one. */
  #refuseUntil (deadline: number): Waiter | undefined {
    const late = new UNAVAILABLE({ reason: 'the event sink did not confirm in time' })
    while (this.#queue[0] !== undefined && this.#queue[0].deadline <= deadline) {
      const waiter = this.#queue.shift() as Waiter
      settle(waiter, late)
      add(this.#waiting, -waiter.events.length, -waiter.characters)
    }
    // Events in flight may still be stored; the client's retry is then a known duplicate.
    const sent = [...this.#batches].flat()
    for (const waiter of sent) if (waiter.deadline <= deadline) settle(waiter, late)
    return sent.find((waiter) => !waiter.settled) ?? this.#queue[0]
  }
}

function loadOf (commit: GroupCommit, pools: ReadPools | undefined): SinkLoad {
  return {
    get pending () { return commit.pending },
    get stored () { return commit.stored },
    get duplicates () { return commit.duplicates },
    pools
  }
}

function eventsOf (waiters: readonly Waiter[]): readonly AcceptedEvent[] {
  const [only] = waiters
  return only !== undefined && waiters.length === 1 ? only.events : waiters.flatMap(({ events }) => events)
}

function originOf (load: SinkLoad): unknown {
  const message: QueuedMessage = { load, origin: null }
  CHANNELS.queued.publish(message)
  return message.origin
}

function flushStep (waiters: readonly Waiter[]): Step {
  const events = waiters.reduce((sum, waiter) => sum + waiter.events.length, 0)
  return { kind: 'flush', origins: waiters.map(({ origin }) => origin), attributes: { 'gatehouse.events': events } }
}

function add (amount: Amount, events: number, characters: number): void {
  amount.events += events
  amount.characters += characters
}

function charactersOf (events: readonly AcceptedEvent[]): number {
  let characters = 0
  for (const { payload, additions } of events) characters += payload.length + additions.length
  return characters
}

function settle (waiter: Waiter, error: Error | null): void {
  if (waiter.settled) return
  waiter.settled = true
  if (error === null) waiter.resolve()
  else waiter.reject(error)
}
