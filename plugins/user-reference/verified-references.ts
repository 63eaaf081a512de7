import { LRUCache } from 'lru-cache'

import { sha256Hex } from '../../signing/digest.js'
import { earliestIssue } from '../../signing/issue-time.js'
import { isCurrent, verifyUserReference } from '../../signing/user-reference.js'
import type { UserReference, VerifyUserReferenceOptions } from '../../signing/user-reference.js'

const MAX_REFERENCES = 1_000

/**
 * Cache of valid references, because a page sends the same reference with each request and the signature is the most
 * expensive part of the check. The keys of the cache are digests, so that the time of a look-up reveals nothing about a
 * reference. A change of the keys empties the cache.
 */
export class VerifiedReferences {
  /** The claims as JSON, so that each request gets a separate object. */
  readonly #claims = new LRUCache<string, string>({ max: MAX_REFERENCES })
  #keys: readonly string[] = []

  /**
   * Verifies a reference like `verifyUserReference`. An `iat` in the future is replaced by the earliest possible time
   * of the signature, also for later calls, so that a revocation applies to the reference.
   */
  verify (reference: string, { keys, audience, now }: Required<VerifyUserReferenceOptions>): UserReference | null {
    if (!isSame(keys, this.#keys)) {
      this.#claims.clear()
      this.#keys = keys
    }
    if (typeof reference !== 'string') return null
    const digest = sha256Hex(reference)
    const known = this.#claims.get(digest)
    if (known === undefined) {
      const claims = verifyUserReference(reference, { keys, audience, now })
      if (claims === null) return null
      claims.iat = earliestIssue(claims.iat, now)
      this.#claims.set(digest, JSON.stringify(claims))
      return claims
    }
    const claims = JSON.parse(known) as UserReference
    return isCurrent(claims, now) ? claims : null
  }
}

/** Returns whether two lists have equal keys, because a function may return a new list on each call. */
function isSame (some: readonly string[], others: readonly string[]): boolean {
  return some === others || (some.length === others.length && some.every((key, at) => key === others[at]))
}
