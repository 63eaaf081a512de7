/**
 * Runs one task per key at a time. Concurrent callers with the same key share its result, which is not cached
 * afterwards.
 */
export class SingleFlight<Result> {
  readonly #underWay = new Map<string, Promise<Result>>()

  run (key: string, work: () => Promise<Result>): Promise<Result> {
    const known = this.#underWay.get(key)
    if (known !== undefined) return known
    const result = work().finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, result)
    return result
  }
}
