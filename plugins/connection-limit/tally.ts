/** How many of something each name holds now. Who holds nothing takes no memory. */
export class Tally {
  readonly #counts = new Map<string, number>()

  /** Names that hold something. */
  get size (): number {
    return this.#counts.size
  }

  /** One more for this name, unless it holds `max` already; whether it got it. */
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
