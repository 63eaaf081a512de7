import type { Count, CountKind } from '../../contracts/counts.js'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
/** How long counts are kept by default, milliseconds: a year and a month. */
export const COUNT_RETENTION = 400 * DAY

/** Returns the start of the hour that contains a time, epoch milliseconds. */
export function hourOf (time: number): number {
  return time - time % HOUR
}

/** The numbers to add, for the hour that contains `at`. */
export type Addition = Omit<Count, 'hour' | 'lastAt'> & { at: number }

type Tree<Leaf> = Map<string, Leaf>
type Outcomes = Tree<Map<number, Count>>

/**
 * Counts by organisation, kind, id, outcome and hour, in memory. Adding to an existing count allocates nothing: the
 * keys are strings that exist already, and the last count is remembered for runs of equal events.
 */
export class CountTable implements Iterable<Count> {
  readonly #organisations: Tree<Record<CountKind, Tree<Outcomes>>> = new Map()
  #last: Count | null = null
  #size = 0

  /** Number of counts. */
  get size (): number {
    return this.#size
  }

  add (
    kind: CountKind, orgId: string, id: string, outcome: string, at: number, events: number, bytes: number
  ): void {
    const hour = hourOf(at)
    let count = this.#last
    if (
      count === null || count.id !== id || count.outcome !== outcome || count.hour !== hour || count.kind !== kind ||
      count.orgId !== orgId
    ) {
      count = this.#find(kind, orgId, id, outcome, hour, at)
      this.#last = count
    }
    count.events += events
    count.bytes += bytes
    if (at > count.lastAt) count.lastAt = at
  }

  /** Adds a count of another table. */
  merge ({ kind, orgId, id, outcome, lastAt, hour, events, bytes }: Count): void {
    // `lastAt` is within the hour, unless a caller says otherwise; the hour decides.
    this.add(kind, orgId, id, outcome, hour, events, bytes)
    if (this.#last !== null && lastAt > this.#last.lastAt) this.#last.lastAt = lastAt
  }

  /** Iterates over the counts of one kind of an organisation. */
  * of (orgId: string, kind: CountKind): Generator<Count> {
    const ids = this.#organisations.get(orgId)?.[kind]
    if (ids === undefined) return
    for (const outcomes of ids.values()) for (const hours of outcomes.values()) yield * hours.values()
  }

  * [Symbol.iterator] (): Generator<Count> {
    for (const [orgId, kinds] of this.#organisations) {
      for (const kind of Object.keys(kinds) as CountKind[]) yield * this.of(orgId, kind)
    }
  }

  /** Deletes the counts of hours that start before `before`. */
  dropBefore (before: number): void {
    for (const kinds of this.#organisations.values()) {
      for (const ids of Object.values(kinds)) {
        for (const [id, outcomes] of ids) {
          for (const [outcome, hours] of outcomes) {
            for (const hour of hours.keys()) if (hour < before && hours.delete(hour)) this.#size--
            if (hours.size === 0) outcomes.delete(outcome)
          }
          if (outcomes.size === 0) ids.delete(id)
        }
      }
    }
    this.#last = null
  }

  #find (kind: CountKind, orgId: string, id: string, outcome: string, hour: number, at: number): Count {
    let kinds = this.#organisations.get(orgId)
    if (kinds === undefined) {
      this.#organisations.set(
        orgId,
        kinds = { stored: new Map(), source: new Map(), embed: new Map(), admin: new Map() }
      )
    }
    const ids = kinds[kind]
    let outcomes = ids.get(id)
    if (outcomes === undefined) ids.set(id, outcomes = new Map())
    let hours = outcomes.get(outcome)
    if (hours === undefined) outcomes.set(outcome, hours = new Map())
    let count = hours.get(hour)
    if (count === undefined) {
      hours.set(hour, count = { orgId, kind, id, outcome, hour, events: 0, bytes: 0, lastAt: at })
      this.#size++
    }
    return count
  }
}
