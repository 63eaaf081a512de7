import type { Outcome } from './frame.js'

/** A budget of events per second, separate for each outcome, so that many events of one do not hide the other. */
export class RateBudget {
  readonly #perSecond: number
  #left: Record<Outcome, number>

  constructor (perSecond: number) {
    this.#perSecond = perSecond
    this.#left = { accepted: perSecond, refused: perSecond }
  }

  take (outcome: Outcome): boolean {
    return this.#left[outcome] > 0 && this.#left[outcome]-- > 0
  }

  /** Restores the budget at the start of a second. */
  reset (): void {
    this.#left = { accepted: this.#perSecond, refused: this.#perSecond }
  }
}
