import { DEDUPLICATION_WINDOW } from './sink.js'

/** The identities of the events of the last 24 hours; older ones are forgotten as new ones come. */
export class RecentIds {
  readonly #seen = new Map<string, number>()

  get size (): number {
    return this.#seen.size
  }

  /** Whether the identity was not seen in the window before `at`, epoch milliseconds; then it is from now on. */
  add (identity: string, at: number): boolean {
    this.#forget(at - DEDUPLICATION_WINDOW)
    const before = this.#seen.get(identity)
    if (before !== undefined && at - before < DEDUPLICATION_WINDOW) return false
    // Away first, so that it goes to the end.
    this.#seen.delete(identity)
    this.#seen.set(identity, at)
    return true
  }

  /** A Map keeps the order in which its keys came: the oldest are first. */
  #forget (until: number): void {
    for (const [identity, at] of this.#seen) {
      if (at > until) return
      this.#seen.delete(identity)
    }
  }
}
