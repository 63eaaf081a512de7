import { sha256Hex } from '../../signing/digest.js'
import { toColumnText } from '../../lib/database/column-text.js'

/** Returns the digest that represents a claimed key. Escaping keeps keys distinct that UTF-8 cannot distinguish. */
export function claimDigest (key: string): string {
  return sha256Hex(toColumnText(key))
}

/** Returns when a claim expires. Throws for a `ttl` that would silently disable the protection. */
export function claimEnd (now: number, ttl: number): number {
  if (!(ttl > 0)) throw new RangeError('claim: "ttl" must be a positive number of milliseconds')
  return now + ttl
}
