import { assertWholeNumber, assertWholeSeconds, optionAssertion, refuseUnknownMembers } from '../../../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../../../lib/options.js'

export interface ExportOptions {
  /** Maximum concurrent exports of one organisation; more are 429 `RATE_LIMITED`. Default: 2. */
  maxExports?: number
  /** Maximum concurrent exports of all organisations, in this process; more are 429 `RATE_LIMITED`. Default: 8. */
  maxExportsTotal?: number
  /**
   * Time after which a client that reads nothing is disconnected, in milliseconds, a multiple of 1 000.
   * Default: 20 000.
   */
  stallTimeout?: number
}

export type ExportLimits = Readonly<Required<ExportOptions>>

const DEFAULTS: ExportLimits = { maxExports: 2, maxExportsTotal: 8, stallTimeout: 20_000 }
const KNOWN: KnownOptions<ExportOptions> = { maxExports: true, maxExportsTotal: true, stallTimeout: true }
const assertOption: AssertOption = optionAssertion('admin-api')
const HOUR = 3_600_000

/** Returns the limits, with defaults. Throws `INVALID_OPTIONS`. */
export function exportLimits (options: ExportOptions): ExportLimits {
  assertOption(typeof options === 'object' && options !== null, 'exports', 'false or an object', options)
  refuseUnknownMembers('adminApi', 'exports.', options, KNOWN)
  for (const [name, value] of Object.entries(options)) {
    if (name === 'stallTimeout') assertWholeSeconds('admin-api', 'exports.stallTimeout', value, 1_000, HOUR)
    else assertWholeNumber('admin-api', `exports.${name}`, value)
  }
  return { ...DEFAULTS, ...options }
}
