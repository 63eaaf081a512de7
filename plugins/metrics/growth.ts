/** Converts totals that only grow into the growth since they were last read. */
export class Growth {
  readonly #totals = new Map<string, number>()

  /** Returns the growth of a total; 0 for a total that has become smaller. */
  of (name: string, total: number): number {
    const growth = total - (this.#totals.get(name) ?? 0)
    this.#totals.set(name, total)
    return Math.max(0, growth)
  }
}
