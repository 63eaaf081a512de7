import { FAILURES_FORGOTTEN_AFTER } from '../limits.js'
import type { CountedFailure } from '../../../contracts/token-store/index.js'

const MAX_SUBJECTS = 100_000

interface Failures {
  count: number
  lockedUntil: number | null
  lastAt: number
}

export class MemoryLoginFailures {
  readonly #now: () => number
  /** In the order of the last failure. A flood of made-up emails evicts the oldest. */
  readonly #failures = new Map<string, Failures>()

  constructor (now: () => number) {
    this.#now = now
  }

  lockedUntil (subject: string): number | null {
    const until = this.#failures.get(subject)?.lockedUntil ?? null
    return until !== null && until > this.#now() ? until : null
  }

  /** Counts a failure. Does not extend a current lock; after a lock has ended, the count restarts. */
  count (subject: string, { max, lockFor }: { max: number, lockFor: number }): CountedFailure {
    const locked = this.lockedUntil(subject)
    if (locked !== null) return { lockedUntil: locked, wasLocked: true }
    const now = this.#now()
    const known = this.#failures.get(subject)
    const count = known === undefined || known.lockedUntil !== null || isStale(known, now) ? 1 : known.count + 1
    const lockedUntil = count >= max ? now + lockFor : null
    this.#failures.delete(subject)
    this.#failures.set(subject, { count, lockedUntil, lastAt: now })
    this.#evict()
    return { lockedUntil, wasLocked: false }
  }

  /** Clears the failures, except during a lock. */
  clear (subject: string): number | null {
    const locked = this.lockedUntil(subject)
    if (locked === null) this.#failures.delete(subject)
    return locked
  }

  unlock (subject: string): void {
    for (const known of this.#failures.keys()) {
      if (known === subject || known.startsWith(`${subject}.`)) this.#failures.delete(known)
    }
  }

  sweep (): void {
    const now = this.#now()
    for (const [subject, failures] of this.#failures) if (isStale(failures, now)) this.#failures.delete(subject)
  }

  #evict (): void {
    for (const subject of this.#failures.keys()) {
      if (this.#failures.size <= MAX_SUBJECTS) return
      this.#failures.delete(subject)
    }
  }
}

function isStale ({ lockedUntil, lastAt }: Failures, now: number): boolean {
  return lastAt <= now - FAILURES_FORGOTTEN_AFTER && (lockedUntil === null || lockedUntil <= now)
}
