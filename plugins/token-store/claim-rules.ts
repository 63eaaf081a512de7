import { sha256Hex } from '../../signing/digest.js'
import { toColumnText } from '../../lib/database/column-text.js'

/** What is kept of a claimed key: of one length, and different for different texts, those that UTF-8 cannot tell apart included. */
export function claimDigest (key: string): string {
  return sha256Hex(toColumnText(key))
}

/** When a claim ends; a time to live that is no positive number would switch the protection off unseen. */
export function claimEnd (now: number, ttl: number): number {
  if (!(ttl > 0)) throw new RangeError('claim: "ttl" must be a positive number of milliseconds')
  return now + ttl
}
