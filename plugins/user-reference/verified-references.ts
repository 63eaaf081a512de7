import { LRUCache } from 'lru-cache'

import { sha256Hex } from '../../signing/digest.js'
import { earliestIssue } from '../../signing/issue-time.js'
import { isCurrent, verifyUserReference } from '../../signing/user-reference.js'
import type { UserReference, VerifyUserReferenceOptions } from '../../signing/user-reference.js'

const MAX_REFERENCES = 1_000

/**
 * The references that were found to hold lately. One comes again with each request of a page, and its signature is the dearest part of reading it. They
 * are kept by their digests, so that how long a look-up takes says nothing of a reference, and until other keys hold.
 */
export class VerifiedReferences {
  /** The claims as text: each request gets an object of its own. */
  readonly #claims = new LRUCache<string, string>({ max: MAX_REFERENCES })
  #keys: readonly string[] = []

  /**
   * As `verifyUserReference`; `now` is required. The `iat` of a reference that was signed ahead of `now` becomes the
   * earliest time at which it can have been signed, also after its own time has come: a cut-off reaches it.
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

/** A function that gives the keys makes a new list each time. */
function isSame (some: readonly string[], others: readonly string[]): boolean {
  return some === others || (some.length === others.length && some.every((key, at) => key === others[at]))
}
