import { INVALID_OPTIONS } from '../../lib/errors.js'
import { refuseUnknownMembers } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { windowOf } from '../../lib/limits/rate-limit.js'

/** A maximum number of requests per time window. */
export interface RequestLimit {
  /** Maximum requests per time window. */
  max: number
  /** Time window in milliseconds, or a string such as `'10 seconds'`. Default: 60 000 (1 minute). */
  timeWindow?: number | string
}

/** The limits per client address, per user and per key. `false` disables a limit. */
export interface RequestLimits {
  address?: RequestLimit | false
  user?: RequestLimit | false
  key?: RequestLimit | false
}

export type Counted = keyof RequestLimits

export interface Quota {
  readonly max: number
  /** Time window, in milliseconds. */
  readonly timeWindow: number
  /** Whether the route sets the limit, so that the route is counted separately. */
  readonly isRouteLimit: boolean
}

export type Quotas = Readonly<Record<Counted, Quota | null>>

export const COUNTED: readonly Counted[] = ['address', 'user', 'key']
const MINUTE = 60_000
const KNOWN: KnownOptions<RequestLimit> = { max: true, timeWindow: true }

/** Returns whether a value is valid as the limits of a route. */
export function areLimits (value: unknown): value is RequestLimits {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).every(([name, limit]) => (COUNTED as readonly string[]).includes(name) && isLimit(limit))
}

function isLimit (value: unknown): boolean {
  if (value === false || value === undefined) return true
  if (typeof value !== 'object' || value === null) return false
  const { max, timeWindow } = value as Partial<RequestLimit>
  return Object.keys(value).every((name) => Object.hasOwn(KNOWN, name)) &&
    Number.isSafeInteger(max) && Number(max) > 0 && (timeWindow === undefined || windowOf(timeWindow) !== null)
}

/** Throws `INVALID_OPTIONS` for the first invalid limit of the plugin's options. */
export function checkLimits (limits: RequestLimits): void {
  for (const name of COUNTED) {
    refuseUnknownMembers('rateLimit', `${name}.`, limits[name], KNOWN)
    if (isLimit(limits[name])) continue
    throw new INVALID_OPTIONS(
      `rate-limit: "${name}" must be false or { max, timeWindow }: "max" a positive integer, ` +
        '"timeWindow" milliseconds or a string such as "1 minute"'
    )
  }
}

/** Returns the quotas of a route: its own limits, else the limits of the plugin. */
export function quotasOf (route: RequestLimits, fallback: RequestLimits): Quotas {
  const quota = (name: Counted): Quota | null => {
    const isRouteLimit = route[name] !== undefined
    const limit = isRouteLimit ? route[name] : fallback[name]
    return limit === undefined || limit === false
      ? null
      : { max: limit.max, timeWindow: windowOf(limit.timeWindow ?? MINUTE) ?? MINUTE, isRouteLimit }
  }
  return { address: quota('address'), user: quota('user'), key: quota('key') }
}

/** Returns whether there is at least one limit. */
export function limitsAny (quotas: Quotas): boolean {
  return COUNTED.some((name) => quotas[name] !== null)
}
