import { UNAVAILABLE } from '../../../lib/errors.js'
import { claimDigest, claimEnd } from '../claim-rules.js'

/** Claims in memory. A claim is never evicted before it expires. */
export class MemoryClaims {
  readonly #now: () => number
  readonly #max: number
  readonly #ends = new Map<string, number>()
  #nextEnd = Infinity

  constructor (now: () => number, max: number) {
    this.#now = now
    this.#max = max
  }

  async claim (key: string, ttl: number): Promise<boolean> {
    const now = this.#now()
    const end = claimEnd(now, ttl)
    const digest = claimDigest(key)
    if ((this.#ends.get(digest) ?? -Infinity) > now) return false
    if (this.#ends.size >= this.#max && !this.#ends.has(digest)) this.sweep()
    if (this.#ends.size >= this.#max && !this.#ends.has(digest)) {
      throw new UNAVAILABLE({ reason: 'the memory store has reached "maxClaims"' })
    }
    this.#ends.set(digest, end)
    this.#nextEnd = Math.min(this.#nextEnd, end)
    return true
  }

  sweep (): void {
    const now = this.#now()
    // No claim has expired yet: skips the scan, which a flood at capacity would otherwise repeat for each request.
    if (now < this.#nextEnd) return
    this.#nextEnd = Infinity
    for (const [digest, end] of this.#ends) {
      if (end <= now) this.#ends.delete(digest)
      else this.#nextEnd = Math.min(this.#nextEnd, end)
    }
  }
}
