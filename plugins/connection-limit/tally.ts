/** Counts the slots that each name holds. A name without slots takes no memory. */
export class Tally {
  readonly #counts = new Map<string, number>()

  /** Number of names that hold a slot. */
  get size (): number {
    return this.#counts.size
  }

  /** Takes a slot for a name. Returns `false` if the name already holds `max` slots. */
  take (name: string, max: number): boolean {
    const held = this.#counts.get(name) ?? 0
    if (held >= max) return false
    this.#counts.set(name, held + 1)
    return true
  }

  release (name: string): void {
    const held = this.#counts.get(name) ?? 0
    if (held > 1) this.#counts.set(name, held - 1)
    else this.#counts.delete(name)
  }
}
