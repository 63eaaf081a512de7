import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { LRUCache } from 'lru-cache'

import { INVALID_OPTIONS, RATE_LIMITED } from '../errors.js'
import { assertWholeNumber, refuseUnknownMembers } from '../options.js'
import type { KnownOptions } from '../options.js'
import { refuse } from '../refuse.js'
import type { Source } from '../../contracts/token-store/index.js'

export interface EventRateOptions {
  /** Events a second of each source that has no limit of its own. Default: 1 000. */
  max?: number
  /** The clock, milliseconds that never go back. Default: `performance.now`. */
  now?: () => number
}

/** Takes from a source's bucket that instances share; what is left in it, or `null` where that can't be told. */
export type SharedDebit = (id: string, events: number, perSecond: number) => Promise<number | null>

interface Bucket { level: number, at: number }

type Limited = Pick<Source, 'id' | 'rateLimit'>

const KNOWN: KnownOptions<EventRateOptions> = { max: true, now: true }
const MAX_SOURCES = 10_000
/** Fractions of an event that were added up may come out a little short of one. */
const ONE = 1 - 1e-6
const LONGEST_WAIT = 3_600_000
/** How often instances tell each other what came, milliseconds: no event waits for it, and they may let through that much more. */
const TOLD_EVERY = 100

/**
 * A bucket for each source, by its id: a key that is being rotated counts with the one before. It holds what the source may send in a
 * second. One event in it lets a whole batch through, which may leave a debt; the debt has to be paid off before the next.
 */
export class EventRate {
  readonly #buckets = new LRUCache<string, Bucket>({ max: MAX_SOURCES })
  readonly #fallback: number | null
  readonly #now: () => number
  readonly #shared: SharedDebit | undefined
  /** What came here and was not told yet. */
  #untold = new Map<string, { events: number, limit: number }>()

  /**
   * @param options `false`: no limit but the sources' own
   * @param shared for sources whose events come by several instances
   */
  constructor (options: EventRateOptions | false, shared?: SharedDebit) {
    if (options !== false && (typeof options !== 'object' || options === null)) throw new INVALID_OPTIONS('event-rate: must be false or an object with "max"')
    refuseUnknownMembers('ingestion', 'eventRate.', options, KNOWN)
    const { max = 1_000, now = () => performance.now() } = options === false ? {} : options
    assertWholeNumber('event-rate', 'max', max, { unit: 'events a second' })
    if (typeof now !== 'function') throw new INVALID_OPTIONS('event-rate: "now" must be a function')
    this.#fallback = options === false ? null : max
    this.#now = now
    this.#shared = shared
  }

  /** Events a second; `null`: any number. */
  limitOf ({ rateLimit }: Limited): number | null {
    return rateLimit ?? this.#fallback
  }

  /** Milliseconds until the source may send; 0: now. */
  wait (source: Limited): number {
    return this.#until(source, ONE)
  }

  /** Milliseconds until the source's bucket is full again. */
  reset (source: Limited): number {
    return this.#until(source, Infinity)
  }

  /** Takes what was sent out of the source's bucket. */
  debit (source: Limited, events: number): void {
    const limit = this.limitOf(source)
    if (limit === null) return
    const now = this.#now()
    const bucket = this.#buckets.get(source.id)
    if (bucket === undefined) {
      this.#buckets.set(source.id, { level: sizeOf(limit) - events, at: now })
    } else {
      bucket.level = levelOf(bucket, limit, now) - events
      bucket.at = now
    }
    if (this.#shared !== undefined) this.#tellSoon(source.id, events, limit)
  }

  #tellSoon (id: string, events: number, limit: number): void {
    if (this.#untold.size === 0) setTimeout(this.#tell, TOLD_EVERY).unref()
    const untold = this.#untold.get(id)
    if (untold === undefined) this.#untold.set(id, { events, limit })
    else untold.events += events
  }

  readonly #tell = (): void => {
    const told = this.#untold
    this.#untold = new Map()
    for (const [id, { events, limit }] of told) this.#shared?.(id, events, limit).then((level) => { if (level !== null) this.#learn(id, level) }, () => {})
  }

  /** What is left for all, of which what came since was not taken yet. */
  #learn (id: string, level: number): void {
    const bucket = this.#buckets.get(id)
    if (bucket === undefined) return
    bucket.level = level - (this.#untold.get(id)?.events ?? 0)
    bucket.at = this.#now()
  }

  #until (source: Limited, wanted: number): number {
    const limit = this.limitOf(source)
    if (limit === null) return 0
    const bucket = this.#buckets.get(source.id)
    // Time adds to a level and takes nothing away.
    if (bucket === undefined || bucket.level >= wanted) return 0
    const missing = Math.min(wanted, sizeOf(limit)) - levelOf(bucket, limit, this.#now())
    return missing <= 0 ? 0 : Math.min(Math.ceil(missing / limit * 1000), LONGEST_WAIT)
  }
}

/**
 * Refuses the requests of a source whose bucket is empty, 429 `RATE_LIMITED` with `Retry-After` and the `RateLimit-*` headers: before
 * the body is read where the source is known by then, and again once it is there, as others may have emptied the bucket meanwhile.
 * For a scope behind the guard that finds the source; who takes the events debits them.
 */
export function limitEventRate (scope: FastifyInstance, rate: EventRate): void {
  function checkEventRate (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
    const { source } = request
    const wait = source === null ? 0 : rate.wait(source)
    if (source === null || wait === 0) return done()
    reply.header('ratelimit-limit', rate.limitOf(source))
    reply.header('ratelimit-remaining', 0)
    reply.header('ratelimit-reset', Math.ceil(rate.reset(source) / 1000))
    refuse(reply, new RATE_LIMITED({ retryAfterSeconds: wait / 1000, reason: 'too many events of the source' }))
  }

  // Where the guard holds the body the source is known from preParsing on.
  scope.addHook('preParsing', function checkBeforeBody (request, reply, _payload, done) {
    checkEventRate(request, reply, done)
  })
  scope.addHook('preValidation', checkEventRate)
}

function sizeOf (limit: number): number {
  return Math.max(limit, 1)
}

function levelOf ({ level, at }: Bucket, limit: number, now: number): number {
  return Math.min(sizeOf(limit), level + (now - at) * limit / 1000)
}
