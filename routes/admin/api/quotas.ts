import { INVALID_OPTIONS } from '../../../lib/errors.js'
import { assertWholeNumber, refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'

export interface QuotaOptions {
  /** Sources that an organisation may have; creating more is 409 `CONFLICT`. Default: 500. */
  sources?: number
  /** Webhooks that an organisation may have, those of all its sources together; creating more is 409 `CONFLICT`. Default: 100. */
  webhooks?: number
}

export type Quotas = Readonly<Required<QuotaOptions>>

const DEFAULTS: Quotas = { sources: 500, webhooks: 100 }
const KNOWN: KnownOptions<QuotaOptions> = { sources: true, webhooks: true }

/** The quotas that hold; throws `INVALID_OPTIONS`. */
export function quotasOf (options: QuotaOptions = {}): Quotas {
  if (typeof options !== 'object' || options === null) throw new INVALID_OPTIONS('admin-api: "quotas" must be an object')
  refuseUnknownMembers('adminApi', 'quotas.', options, KNOWN)
  for (const [name, value] of Object.entries(options)) {
    assertWholeNumber('admin-api', `quotas.${name}`, value)
  }
  return { ...DEFAULTS, ...options }
}
