import { assertWholeNumber, optionAssertion, refuseUnknownMembers } from '../../../lib/options.js'
import type { AssertOption, KnownOptions } from '../../../lib/options.js'
import type { RefusedEventLimits } from '../../../contracts/token-store/index.js'

export interface RefusedEventOptions {
  /** Maximum number of refused events that are kept per source; the oldest are deleted. Default: 10 000. */
  maxRows?: number
  /** Maximum bytes of the refused events that are kept per source; the oldest are deleted. Default: 16 777 216. */
  maxBytes?: number
}

/**
 * Maximum bytes of a kept payload; a longer one is cut, and cannot be replayed. Fits an event of 65 536 bytes with the
 * envelope of its batch.
 */
export const PAYLOAD_LIMIT = 66_560

const DEFAULTS: RefusedEventLimits = { maxRows: 10_000, maxBytes: 16 * 1024 * 1024 }
const KNOWN: KnownOptions<RefusedEventOptions> = { maxRows: true, maxBytes: true }
const assertOption: AssertOption = optionAssertion('ingestion')

/** Returns the limits, with defaults. Throws `INVALID_OPTIONS`. */
export function refusedEventLimits (options: RefusedEventOptions): RefusedEventLimits {
  assertOption(typeof options === 'object' && options !== null, 'refusedEvents', 'false or an object', options)
  refuseUnknownMembers('ingestion', 'refusedEvents.', options, KNOWN)
  const { maxRows, maxBytes } = { ...DEFAULTS, ...options }
  assertWholeNumber('ingestion', 'refusedEvents.maxRows', maxRows)
  assertWholeNumber('ingestion', 'refusedEvents.maxBytes', maxBytes, { min: 2 * PAYLOAD_LIMIT, unit: 'bytes' })
  return { maxRows, maxBytes }
}
