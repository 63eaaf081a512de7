import {
  assertWholeNumber, assertWholeSeconds, optionAssertion,
  refuseUnknownMembers
} from '../../../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../../../lib/options.js'

export interface LiveOptions {
  /** Maximum concurrent viewers of one organisation; more are 429 `TOO_MANY_CONNECTIONS`. Default: 20. */
  maxViewers?: number
  /** Maximum concurrent viewers of one user; more are 429 `TOO_MANY_CONNECTIONS`. Default: 3. */
  maxViewersPerUser?: number
  /** Maximum concurrent viewers of all organisations, in this process. Default: 100. */
  maxViewersTotal?: number
  /**
   * Maximum bytes in the queue of a viewer that reads slowly; further events are counted, not sent. 16 384 or more.
   * Default: 262 144.
   */
  queueBytes?: number
  /**
   * Maximum events per second and viewer, separately for accepted and refused events; further events are counted, not
   * sent. Default: 50.
   */
  eventsPerSecond?: number
  /**
   * Time after which a viewer that reads nothing is disconnected, in milliseconds, a multiple of 1 000.
   * Default: 20 000.
   */
  stallTimeout?: number
  /** Interval of the comments that keep the connection open, in milliseconds, a multiple of 1 000. Default: 15 000. */
  heartbeat?: number
  /** Interval of the counts, in milliseconds, a multiple of 1 000. Default: 5 000. */
  statsEvery?: number
}

export type LiveLimits = Readonly<Required<LiveOptions>>

const DEFAULTS: LiveLimits = {
  maxViewers: 20,
  maxViewersPerUser: 3,
  maxViewersTotal: 100,
  queueBytes: 256 * 1024,
  eventsPerSecond: 50,
  stallTimeout: 20_000,
  heartbeat: 15_000,
  statsEvery: 5_000
}
const KNOWN: KnownOptions<LiveOptions> = {
  maxViewers: true,
  maxViewersPerUser: true,
  maxViewersTotal: true,
  queueBytes: true,
  eventsPerSecond: true,
  stallTimeout: true,
  heartbeat: true,
  statsEvery: true
}
const assertOption: AssertOption = optionAssertion('admin-api')
const TIMES: readonly string[] = ['stallTimeout', 'heartbeat', 'statsEvery'] satisfies Array<keyof LiveOptions>
const HOUR = 3_600_000
const MIN_QUEUE_BYTES = 16_384

/** Returns the limits, with defaults. Throws `INVALID_OPTIONS`. */
export function liveLimits (options: LiveOptions): LiveLimits {
  assertOption(typeof options === 'object' && options !== null, 'live', 'false or an object', options)
  refuseUnknownMembers('adminApi', 'live.', options, KNOWN)
  for (const [name, value] of Object.entries(options)) {
    if (TIMES.includes(name)) assertWholeSeconds('admin-api', `live.${name}`, value, 1_000, HOUR)
    else assertWholeNumber('admin-api', `live.${name}`, value, { min: name === 'queueBytes' ? MIN_QUEUE_BYTES : 1 })
  }
  return { ...DEFAULTS, ...options }
}
