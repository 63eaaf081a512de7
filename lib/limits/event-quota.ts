import { LRUCache } from 'lru-cache'

import { atMost } from '../at-most.js'
import type { Source } from '../../contracts/token-store/index.js'
import { utcDay, utcMonth } from './utc-windows.js'
import type { Span } from './utc-windows.js'

/** Reads how many events of a source were accepted from `from` until before `to`, epoch milliseconds. */
export type ReadAccepted = (orgId: string, sourceId: string, from: number, to: number) => Promise<number>

export interface EventQuotasOptions {
  read: ReadAccepted
  /** Called with the error of `read`, at most once a minute. Events are accepted meanwhile. */
  onError: (err: unknown) => void
  /** How long a number that was read is used, milliseconds; other instances may accept more meanwhile. */
  refreshEvery: number
  /** The clock, epoch milliseconds. */
  now: () => number
}

/** The source and its quotas. */
export type WithQuota = Pick<Source, 'id' | 'orgId' | 'dailyQuota' | 'monthlyQuota'>

/** A quota that leaves no room. */
export interface UsedQuota {
  period: 'day' | 'month'
  limit: number
  /** When the period ends, epoch milliseconds. */
  endsAt: number
}

interface State {
  /** The number of the read. */
  readonly sequence: number
  readonly day: Span
  readonly month: Span
  /** Events that the last read has found. */
  ofDay: number
  earlier: EarlierDays
  loadedAt: number
  /** Events that this process has stored since the last read began. */
  stored: number
  /** Events that are being written. */
  pending: number
}

/** The events of the days of the month before `until`. Only flushes that end after midnight still add to them. */
interface EarlierDays {
  readonly until: number
  readonly events: number
  readonly readAt: number
}

/** Whether the events of a source are counted against a quota. */
export function hasQuota ({ dailyQuota, monthlyQuota }: WithQuota): boolean {
  return dailyQuota !== null || monthlyQuota !== null
}

const MAX_SOURCES = 10_000
/** Milliseconds before the number of events of earlier days is read again. */
const EARLIER_REFRESH = 60_000
/** Time after midnight in which flushes may still add events of the day before, milliseconds. */
const SETTLING = 60_000
/** Minimum time between two reports of a failure, milliseconds. */
const REPORT_INTERVAL = 60_000

/**
 * Quotas of accepted events per UTC day and month. The number of events is read from the durable counts once per
 * `refreshEvery` and source, that of earlier days once a minute, and this process adds the events that it stores.
 * Before an event is refused, the number is read again if this process has stored events since, because some may have
 * been duplicates, which do not count.
 */
export class EventQuotas {
  readonly #options: EventQuotasOptions
  readonly #states = new LRUCache<string, State>(atMost(MAX_SOURCES))
  /** Reads in flight, with the day that they read. */
  readonly #reads = new Map<string, { day: number, reading: Promise<State | null> }>()
  /** When the read of a source failed; until `refreshEvery` later its events are accepted. */
  readonly #failures = new LRUCache<string, number>(atMost(MAX_SOURCES))
  #reportedAt = -Infinity
  #sequence = 0

  constructor (options: EventQuotasOptions) {
    this.#options = options
  }

  /** The clock of the periods, epoch milliseconds. */
  now (): number {
    return this.#options.now()
  }

  /**
   * Returns the quota that leaves no room for one more event, else `null`. Synchronous, unless the number of events has
   * to be read first.
   */
  used (source: WithQuota): UsedQuota | null | Promise<UsedQuota | null> {
    if (!hasQuota(source)) return null
    const state = this.#current(source)
    if (state === null) return this.#read(source).then((loaded) => overrun(source, loaded, 1, false))
    const used = overrun(source, state, 1, false)
    if (used === null || state.stored === 0) return used
    return this.#read(source).then((loaded) => overrun(source, loaded, 1, false))
  }

  /**
   * Takes room for `events` events that are about to be written. Resolves with the quota that has too little room, and
   * takes nothing then, else with `null`. Call `settle` after the write.
   */
  async take (source: WithQuota, events: number): Promise<UsedQuota | null> {
    let state = this.#current(source) ?? await this.#read(source)
    if (overrun(source, state, events, true) !== null && state?.stored !== 0) state = await this.#read(source)
    const used = overrun(source, state, events, true)
    if (used === null && state !== null) state.pending += events
    return used
  }

  /** Gives back the room of a write that has ended, and counts its events if it has stored them. */
  settle (source: WithQuota, events: number, isStored: boolean): void {
    const state = this.#states.get(source.id)
    if (state === undefined) return
    state.pending = Math.max(0, state.pending - events)
    if (isStored) state.stored += events
  }

  /** Returns the state of the present day, which may be read again in the background; `null` if there is none. */
  #current (source: WithQuota): State | null {
    const now = this.#options.now()
    const state = this.#states.get(source.id)
    if (state === undefined || now >= state.day.to || now < state.day.from) return null
    if (now - state.loadedAt >= this.#options.refreshEvery || now < state.loadedAt) this.#read(source)
    return state
  }

  /** Reads the number of events. Resolves with the last state after a failure, or with `null`. */
  #read (source: WithQuota): Promise<State | null> {
    const { id } = source
    const failedAt = this.#failures.get(id)
    const now = this.#options.now()
    if (failedAt !== undefined && now >= failedAt && now - failedAt < this.#options.refreshEvery) {
      return Promise.resolve(this.#known(id, now))
    }
    const day = utcDay(now).from
    const underWay = this.#reads.get(id)
    if (underWay?.day === day) return underWay.reading
    const reading = this.#load(source, now).catch((err: unknown) => this.#failed(id, err)).finally(() => {
      if (this.#reads.get(id)?.reading === reading) this.#reads.delete(id)
    })
    this.#reads.set(id, { day, reading })
    return reading
  }

  async #load ({ id, orgId }: WithQuota, now: number): Promise<State> {
    const before = this.#states.get(id)
    const sequence = ++this.#sequence
    const day = utcDay(now)
    const month = utcMonth(now)
    const storedBefore = before?.stored ?? 0
    const known = before?.earlier
    const isKnown = known?.until === day.from && known.readAt >= day.from + SETTLING && now >= known.readAt &&
      now - known.readAt < EARLIER_REFRESH
    const [ofDay, earlier] = await Promise.all([
      this.#options.read(orgId, id, day.from, day.to),
      isKnown ? known : this.#earlierDays(orgId, id, month.from, day.from, now)
    ])
    this.#failures.delete(id)
    const state = this.#states.get(id)
    // A read that began later, in the next day, has ended first.
    if (state !== undefined && state.sequence > sequence) return state
    // Events that were stored during the read may be in the number or not; they count until the next read.
    const stored = state === undefined ? 0 : Math.max(0, state.stored - storedBefore)
    const pending = state?.pending ?? 0
    const loaded: State = { sequence, day, month, ofDay, earlier, loadedAt: now, stored, pending }
    this.#states.set(id, loaded)
    return loaded
  }

  async #earlierDays (orgId: string, id: string, from: number, until: number, readAt: number): Promise<EarlierDays> {
    const events = from === until ? 0 : await this.#options.read(orgId, id, from, until)
    return { until, events, readAt }
  }

  #failed (id: string, err: unknown): State | null {
    const now = this.#options.now()
    this.#failures.set(id, now)
    if (now - this.#reportedAt >= REPORT_INTERVAL) {
      this.#reportedAt = now
      this.#options.onError(err)
    }
    return this.#known(id, now)
  }

  #known (id: string, now: number): State | null {
    const state = this.#states.get(id)
    return state !== undefined && now < state.day.to ? state : null
  }
}

/** Returns the quota that `events` more events would exceed; of two, the one that ends last. */
function overrun (source: WithQuota, state: State | null, events: number, withPending: boolean): UsedQuota | null {
  if (state === null) return null
  const more = state.stored + events + (withPending ? state.pending : 0)
  const { dailyQuota, monthlyQuota } = source
  if (monthlyQuota !== null && state.earlier.events + state.ofDay + more > monthlyQuota) {
    return { period: 'month', limit: monthlyQuota, endsAt: state.month.to }
  }
  if (dailyQuota !== null && state.ofDay + more > dailyQuota) {
    return { period: 'day', limit: dailyQuota, endsAt: state.day.to }
  }
  return null
}
