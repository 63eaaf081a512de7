/**
 * Runs one task per key at a time. Concurrent callers with the same key share its result, which is not cached
 * afterwards.
 */
export class SingleFlight<Result> {
  readonly #underWay = new Map<string, Promise<Result>>()

  /** Returns the result of the task that runs for a key, if any. */
  get (key: string): Promise<Result> | undefined {
    return this.#underWay.get(key)
  }

  run (key: string, work: () => Promise<Result>): Promise<Result> {
    const known = this.#underWay.get(key)
    if (known !== undefined) return known
    const result = work().finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, result)
    return result
  }
}
