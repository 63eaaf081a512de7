import { INVALID_OPTIONS } from '../../../../lib/errors.js'
import { refuseUnknownMembers } from '../../../../lib/options.js'
import type { KnownOptions } from '../../../../lib/options.js'

export interface LiveOptions {
  /** Viewers of one organisation at once; more are 429 `TOO_MANY_CONNECTIONS`. Default: 20. */
  maxViewers?: number
  /** Viewers of one user at once; more are 429 `TOO_MANY_CONNECTIONS`. Default: 3. */
  maxViewersPerUser?: number
  /** Viewers of all organisations at once, in this process. Default: 100. */
  maxViewersTotal?: number
  /** Bytes that wait for a viewer who reads slower than events come; events beyond are counted, not sent. 16 384 or more. Default: 262 144. */
  queueBytes?: number
  /** Events a second that a viewer is sent, accepted and refused ones apart; those beyond are counted, not sent. Default: 50. */
  eventsPerSecond?: number
  /** After how long a viewer who takes nothing of what waits is cut off, milliseconds, in whole seconds. Default: 20 000. */
  stallTimeout?: number
  /** How often a comment shows that the connection lives, milliseconds, in whole seconds. Default: 15 000. */
  heartbeat?: number
  /** How often the counts are sent, milliseconds, in whole seconds. Default: 5 000. */
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
const TIMES: readonly string[] = ['stallTimeout', 'heartbeat', 'statsEvery'] satisfies Array<keyof LiveOptions>
const HOUR = 3_600_000
const LEAST_QUEUE = 16_384

/** The limits that hold; throws `INVALID_OPTIONS`. */
export function liveLimits (options: LiveOptions): LiveLimits {
  if (typeof options !== 'object' || options === null) throw new INVALID_OPTIONS('admin-api: "live" must be false or an object')
  refuseUnknownMembers('adminApi', 'live.', options, KNOWN)
  for (const [name, value] of Object.entries(options)) {
    if (TIMES.includes(name)) {
      if (!Number.isInteger(value / 1000) || value < 1000 || value > HOUR) {
        throw new INVALID_OPTIONS(`admin-api: "live.${name}" must be milliseconds in whole seconds, 1 000 to 3 600 000`)
      }
    } else if (!Number.isSafeInteger(value) || value < (name === 'queueBytes' ? LEAST_QUEUE : 1)) {
      throw new INVALID_OPTIONS(`admin-api: "live.${name}" must be a whole number, ${name === 'queueBytes' ? LEAST_QUEUE : 1} or more`)
    }
  }
  return { ...DEFAULTS, ...options }
}
