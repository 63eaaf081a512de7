import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { assertWholeNumber, refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'

export interface QuotaOptions {
  /**
   * Maximum sources of an organisation without `maxSources`; creating more is 409 `CONFLICT`. Default: 500.
   */
  sources?: number
  /** Maximum webhooks per organisation, over all its sources; creating more is 409 `CONFLICT`. Default: 100. */
  webhooks?: number
  /** Maximum named pipeline keys per source, expired keys included; creating more is 409 `CONFLICT`. Default: 20. */
  keys?: number
}

export type Quotas = Readonly<Required<QuotaOptions>>

const DEFAULTS: Quotas = { sources: 500, webhooks: 100, keys: 20 }
const KNOWN: KnownOptions<QuotaOptions> = { sources: true, webhooks: true, keys: true }

/** Returns the quotas, with defaults. Throws `INVALID_OPTIONS`. */
export function quotasOf (options: QuotaOptions = {}): Quotas {
  if (typeof options !== 'object' || options === null) {
    throw new INVALID_OPTIONS('admin-api: "quotas" must be an object')
  }
  refuseUnknownMembers('adminApi', 'quotas.', options, KNOWN)
  for (const [name, value] of Object.entries(options)) {
    assertWholeNumber('admin-api', `quotas.${name}`, value)
  }
  return { ...DEFAULTS, ...options }
}
