import { LRUCache } from 'lru-cache'

import { atMost } from '../../lib/at-most.js'
import { sha256Hex } from '../../signing/digest.js'
import { earliestIssue } from '../../signing/issue-time.js'
import { checkUserReference, timeProblem } from '../../signing/user-reference.js'
import type { ReferenceProblem, UserReference, VerifyUserReferenceOptions } from '../../signing/user-reference.js'

const MAX_REFERENCES = 1_000

/**
 * Cache of valid references, because a page sends the same reference with each request and the signature is the most
 * expensive part of the check. The keys of the cache are digests, so that the time of a look-up reveals nothing about a
 * reference. A change of the keys empties the cache.
 */
export class VerifiedReferences {
  readonly #copiers = new LRUCache<string, () => UserReference>(atMost(MAX_REFERENCES))
  #keys: readonly string[] = []

  /**
   * Verifies a reference like `verifyUserReference`. An `iat` in the future is replaced by the earliest possible time
   * of the signature, also for later calls, so that a revocation applies to the reference.
   */
  verify (reference: string, options: Required<VerifyUserReferenceOptions>): UserReference | null {
    const claims = this.check(reference, options)
    return typeof claims === 'string' ? null : claims
  }

  /** Verifies a reference like `verify`, but returns why it is refused instead of `null`. */
  check (
    reference: string,
    { keys, audience, now }: Required<VerifyUserReferenceOptions>
  ): UserReference | ReferenceProblem {
    if (!isSame(keys, this.#keys)) {
      this.#copiers.clear()
      this.#keys = keys
    }
    if (typeof reference !== 'string') return 'malformed'
    const digest = sha256Hex(reference)
    const copy = this.#copiers.get(digest)
    if (copy === undefined) {
      const claims = checkUserReference(reference, { keys, audience, now })
      if (typeof claims === 'string') return claims
      claims.iat = earliestIssue(claims.iat, now)
      this.#copiers.set(digest, copierOf(claims))
      return claims
    }
    const claims = copy()
    return timeProblem(claims, now) ?? claims
  }
}

/** Returns a function that copies the claims, so that each request gets a separate object. */
function copierOf (claims: UserReference): () => UserReference {
  // Most claims are flat, and a flat copy takes a tenth of the time of parsing JSON.
  if (Object.values(claims).every((claim) => claim === null || typeof claim !== 'object')) {
    const known = { ...claims }
    return () => ({ ...known })
  }
  const json = JSON.stringify(claims)
  return () => JSON.parse(json) as UserReference
}

/** Returns whether two lists have equal keys, because a function may return a new list on each call. */
function isSame (some: readonly string[], others: readonly string[]): boolean {
  return some === others || (some.length === others.length && some.every((key, at) => key === others[at]))
}
