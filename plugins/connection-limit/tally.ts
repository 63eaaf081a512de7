/** Counts the slots that each name holds. A name without slots takes no memory. */
export class Tally {
  readonly #counts = new Map<string, number>()

  /** Number of names that hold a slot. */
  get size (): number {
    return this.#counts.size
  }

  /** Takes a slot for a name. Returns `false` if the name already holds `max` slots. */
  take (name: string, max: number): boolean {
    const count = this.#counts.get(name) ?? 0
    if (count >= max) return false
    this.#counts.set(name, count + 1)
    return true
  }

  release (name: string): void {
    const count = this.#counts.get(name) ?? 0
    if (count > 1) this.#counts.set(name, count - 1)
    else this.#counts.delete(name)
  }
}
