/** Runs one piece of work per key at a time: whoever asks for a key while its work is under way shares the outcome, which is then forgotten. */
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
