import type { Outcome } from './frame.js'

/** So many a second of each outcome, so that a flood of the one does not hide the other. */
export class Allowance {
  readonly #perSecond: number
  #left: Record<Outcome, number>

  constructor (perSecond: number) {
    this.#perSecond = perSecond
    this.#left = { accepted: perSecond, refused: perSecond }
  }

  take (outcome: Outcome): boolean {
    return this.#left[outcome] > 0 && this.#left[outcome]-- > 0
  }

  /** A new second. */
  renew (): void {
    this.#left = { accepted: this.#perSecond, refused: this.#perSecond }
  }
}
