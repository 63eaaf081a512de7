import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { LRUCache } from 'lru-cache'

import { atMost } from '../at-most.js'
import { RATE_LIMITED } from '../errors.js'
import { assertWholeNumber, optionAssertion, refuseUnknownMembers } from '../options.js'
import type { AssertOption, KnownOptions } from '../options.js'
import { refuse } from '../refuse.js'
import type { Source } from '../../contracts/token-store/index.js'

export interface EventRateOptions {
  /** Maximum number of events per second and source, for sources without their own limit. Default: 1 000. */
  max?: number
  /** A monotonic clock in milliseconds. Default: `performance.now`. */
  now?: () => number
}

/** Debits a bucket that all instances share. Resolves the remaining level, or `null` if it is unknown. */
export type SharedDebit = (id: string, events: number, perSecond: number) => Promise<number | null>

interface Bucket {
  level: number
  at: number
}

type Limited = Pick<Source, 'id' | 'rateLimit'>

const KNOWN: KnownOptions<EventRateOptions> = { max: true, now: true }
const assertOption: AssertOption = optionAssertion('ingestion')
const MAX_SOURCES = 10_000
/** Tolerance for rounding errors when fractions of an event are added up. */
const ONE = 1 - 1e-6
const LONGEST_WAIT = 3_600_000
/** Milliseconds between reports to the shared bucket. No event waits for it; limits may be exceeded by that much. */
const REPORT_INTERVAL = 100

/**
 * Token buckets by source id, so that a rotated key shares the bucket of the previous key. A bucket holds the events of
 * one second. A batch passes if the bucket holds at least one event, and may leave a debt that delays the next batch.
 */
export class EventRate {
  readonly #buckets = new LRUCache<string, Bucket>(atMost(MAX_SOURCES))
  readonly #fallback: number | null
  readonly #now: () => number
  readonly #shared: SharedDebit | undefined
  /** Events that are not yet reported to the shared bucket. */
  #unreported = new Map<string, { events: number, limit: number }>()

  /**
   * @param options `false`: only the sources' own limits
   * @param shared debits the shared bucket, if several instances receive events
   */
  constructor (options: EventRateOptions | false, shared?: SharedDebit) {
    assertOption(
      options === false || (typeof options === 'object' && options !== null),
      'eventRate',
      'false or an object with "max"',
      options
    )
    refuseUnknownMembers('ingestion', 'eventRate.', options, KNOWN)
    const { max = 1_000, now = () => performance.now() } = options === false ? {} : options
    assertWholeNumber('ingestion', 'eventRate.max', max, { unit: 'events per second' })
    assertOption(typeof now === 'function', 'eventRate.now', 'a function', now)
    this.#fallback = options === false ? null : max
    this.#now = now
    this.#shared = shared
  }

  /** Events per second; `null`: no limit. */
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

  /** Debits the received events from the source's bucket. */
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
    if (this.#shared !== undefined) this.#reportSoon(source.id, events, limit)
  }

  #reportSoon (id: string, events: number, limit: number): void {
    if (this.#unreported.size === 0) setTimeout(this.#report, REPORT_INTERVAL).unref()
    const unreported = this.#unreported.get(id)
    if (unreported === undefined) this.#unreported.set(id, { events, limit })
    else unreported.events += events
  }

  readonly #report = (): void => {
    const reported = this.#unreported
    this.#unreported = new Map()
    for (const [id, { events, limit }] of reported) {
      this.#shared?.(id, events, limit).then((level) => {
        if (level !== null) this.#applySharedLevel(id, level)
      }, () => {})
    }
  }

  /** Applies the shared level, minus the events that are not yet reported. */
  #applySharedLevel (id: string, level: number): void {
    const bucket = this.#buckets.get(id)
    if (bucket === undefined) return
    bucket.level = level - (this.#unreported.get(id)?.events ?? 0)
    bucket.at = this.#now()
  }

  #until (source: Limited, level: number): number {
    const limit = this.limitOf(source)
    if (limit === null) return 0
    const bucket = this.#buckets.get(source.id)
    // Time only raises a level.
    if (bucket === undefined || bucket.level >= level) return 0
    const missing = Math.min(level, sizeOf(limit)) - levelOf(bucket, limit, this.#now())
    return missing <= 0 ? 0 : Math.min(Math.ceil(missing / limit * 1000), LONGEST_WAIT)
  }
}

/**
 * Refuses requests of a source whose bucket is empty: 429 `RATE_LIMITED` with `Retry-After` and the `RateLimit-*`
 * headers. Checks before the body is read if the source is already known, and again after it, because other requests
 * may have emptied the bucket. For a scope behind the guard that finds the source; the caller debits the events.
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

  // If the guard buffers the body, the source is known from preParsing on.
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
