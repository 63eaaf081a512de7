import { INVALID_OPTIONS } from '../../lib/errors.js'
import { refuseUnknownMembers } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { windowOf } from '../../lib/limits/rate-limit.js'

/** So many requests in a time. */
export interface RequestLimit {
  max: number
  /** Milliseconds, or a text such as `'10 seconds'`. Default: 1 minute. */
  timeWindow?: number | string
}

/** What is counted: requests of an address, of a user, of a key. `false`: not limited. */
export interface RequestLimits {
  address?: RequestLimit | false
  user?: RequestLimit | false
  key?: RequestLimit | false
}

export type Counted = keyof RequestLimits

export interface Quota {
  readonly max: number
  /** Milliseconds. */
  readonly timeWindow: number
  /** Whether the route named it, and so counts for itself. */
  readonly own: boolean
}

export type Quotas = Readonly<Record<Counted, Quota | null>>

export const COUNTED: readonly Counted[] = ['address', 'user', 'key']
const MINUTE = 60_000
const KNOWN: KnownOptions<RequestLimit> = { max: true, timeWindow: true }

/** Whether a route may ask for it. */
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

/** Rejects, by its name, the first of the plugin's own limits that is none. */
export function checkLimits (limits: RequestLimits): void {
  for (const name of COUNTED) {
    refuseUnknownMembers('rateLimit', `${name}.`, limits[name], KNOWN)
    if (isLimit(limits[name])) continue
    throw new INVALID_OPTIONS(`rate-limit: "${name}" must be false or { max, timeWindow } with a positive integer and milliseconds or a text such as "1 minute"`)
  }
}

/** What holds for a route: what it names itself, else what the plugin says. */
export function quotasOf (route: RequestLimits, fallback: RequestLimits): Quotas {
  const quota = (name: Counted): Quota | null => {
    const own = route[name] !== undefined
    const limit = own ? route[name] : fallback[name]
    return limit === undefined || limit === false ? null : { max: limit.max, timeWindow: windowOf(limit.timeWindow ?? MINUTE) ?? MINUTE, own }
  }
  return { address: quota('address'), user: quota('user'), key: quota('key') }
}

/** Whether anything is limited at all. */
export function limitsAny (quotas: Quotas): boolean {
  return COUNTED.some((name) => quotas[name] !== null)
}
