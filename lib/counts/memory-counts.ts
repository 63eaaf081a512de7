import { CountTable, DAY, hourOf } from './count-table.js'
import type { Count, CountFilter, CountPoint, CountTotal, Counts, LatestCount } from '../../contracts/counts.js'

/** Maximum number of totals, and of latest times, in one result. */
export const MAX_TOTALS = 10_000
export const MAX_LATEST = 1_000

/** Counts in memory, lost when the process ends. */
export class MemoryCounts implements Counts {
  readonly table = new CountTable()

  async add (counts: readonly Count[]): Promise<void> {
    for (const count of counts) this.table.merge(count)
  }

  async series (orgId: string, filter: CountFilter, interval: 'hour' | 'day'): Promise<CountPoint[]> {
    const points = new Map<string, CountPoint>()
    for (const { hour, outcome, events, bytes } of this.#selected(orgId, filter)) {
      const at = interval === 'hour' ? hour : hour - hour % DAY
      const key = `${at} ${outcome}`
      const point = points.get(key)
      if (point === undefined) points.set(key, { at, outcome, events, bytes })
      else {
        point.events += events
        point.bytes += bytes
      }
    }
    return [...points.values()].sort((a, b) => a.at - b.at || (a.outcome < b.outcome ? -1 : 1))
  }

  async totals (orgId: string, filter: CountFilter): Promise<CountTotal[]> {
    const totals = new Map<string, CountTotal>()
    for (const { id, outcome, events, bytes, lastAt } of this.#selected(orgId, filter)) {
      const key = JSON.stringify([id, outcome])
      const total = totals.get(key)
      if (total === undefined) totals.set(key, { id, outcome, events, bytes, lastAt })
      else {
        total.events += events
        total.bytes += bytes
        total.lastAt = Math.max(total.lastAt, lastAt)
      }
    }
    return [...totals.values()].sort(largestFirst).slice(0, MAX_TOTALS)
  }

  async latest (orgId: string, filter: Pick<CountFilter, 'kind' | 'id' | 'outcome'>): Promise<LatestCount[]> {
    const latest = new Map<string, number>()
    for (const { id, lastAt } of this.#selected(orgId, { ...filter, from: 0, to: Infinity })) {
      latest.set(id, Math.max(lastAt, latest.get(id) ?? 0))
    }
    return Array.from(latest, ([id, lastAt]) => ({ id, lastAt }))
      .sort((a, b) => b.lastAt - a.lastAt || compare(a.id, b.id)).slice(0, MAX_LATEST)
  }

  async expire (before: number): Promise<void> {
    this.table.dropBefore(hourOf(before))
  }

  * #selected (orgId: string, { kind, id, outcome, from, to }: CountFilter): Generator<Count> {
    for (const count of this.table.of(orgId, kind)) {
      if (
        (id === undefined || count.id === id) && (outcome === undefined || count.outcome === outcome) &&
        count.hour >= hourOf(from) && count.hour < to
      ) yield count
    }
  }
}

/** Orders totals as every backend does: by events, then id, then outcome. */
export function largestFirst (a: CountTotal, b: CountTotal): number {
  return b.events - a.events || compare(a.id, b.id) || compare(a.outcome, b.outcome)
}

function compare (a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
