import type { CountPoint, CountTotal, LatestCount } from '../../../../contracts/token-store/index.js'
import { MAX_SOURCES } from '../../../../schemas/admin-stats.js'
import type { EventTotals, StatsReply } from '../../../../schemas/admin-stats.js'
import type { Period } from './period.js'

const REFUSED = 'refused:'

/** Returns dense series, one value per point of the period, by outcome; all refusals are one series. */
export function seriesOf<Name extends string> (
  { from, step, points }: Period,
  counts: readonly CountPoint[],
  names: readonly Name[]
): Record<Name | 'bytes', number[]> {
  const series = Object.fromEntries([...names, 'bytes'].map((name) => [name, Array<number>(points).fill(0)])) as
    Record<string, number[]>
  for (const { at, outcome, events, bytes } of counts) {
    const point = (at - from) / step
    add(series[outcome.startsWith(REFUSED) ? 'refused' : outcome], point, events)
    if (outcome === 'accepted') add(series['bytes'], point, bytes)
  }
  return series as Record<Name | 'bytes', number[]>
}

function add (values: number[] | undefined, point: number, value: number): void {
  const before = values?.[point]
  if (values !== undefined && before !== undefined) values[point] = before + value
}

type Sum = Pick<CountTotal, 'outcome' | 'events' | 'bytes'>

/** Adds up counts of events by outcome. */
export function eventTotals (counts: Iterable<Sum>): EventTotals {
  const totals: EventTotals = { accepted: 0, deduplicated: 0, bot: 0, refused: 0, bytes: 0, refused_by_code: {} }
  for (const { outcome, events, bytes } of counts) {
    if (outcome.startsWith(REFUSED)) addRefused(totals, outcome, events)
    else if (outcome === 'accepted' || outcome === 'deduplicated' || outcome === 'bot') totals[outcome] += events
    if (outcome === 'accepted') totals.bytes += bytes
  }
  return totals
}

/** Returns the totals of each source, the most events first. A source without counts in the period has zeros. */
export function sourceTotals (counts: readonly CountTotal[], latest: readonly LatestCount[]): StatsReply['sources'] {
  const bySource = new Map<string, CountTotal[]>()
  const lastEvents = new Map(latest.map(({ id, lastAt }) => [id, lastAt]))
  for (const count of counts) bySource.set(count.id, [...bySource.get(count.id) ?? [], count])
  for (const id of lastEvents.keys()) if (!bySource.has(id)) bySource.set(id, [])
  return Array.from(bySource, ([id, own]) => {
    const lastAt = lastEvents.get(id)
    return {
      source_id: id,
      ...eventTotals(own),
      last_event_at: lastAt === undefined ? null : new Date(lastAt).toISOString()
    }
  }).sort((a, b) => b.accepted - a.accepted || b.refused - a.refused).slice(0, MAX_SOURCES)
}

/** Returns the totals of each embedded product. */
export function productTotals (counts: readonly CountTotal[]): StatsReply['embeds']['products'] {
  const products = new Map<string, StatsReply['embeds']['products'][number]>()
  for (const { id, outcome, events } of counts) {
    const product = products.get(id) ?? { product: id, minted: 0, cached: 0, refused: 0, refused_by_code: {} }
    products.set(id, product)
    if (outcome.startsWith(REFUSED)) addRefused(product, outcome, events)
    else if (outcome === 'minted' || outcome === 'cached') product[outcome] += events
  }
  return [...products.values()].sort((a, b) => a.product < b.product ? -1 : 1)
}

function addRefused (
  totals: { refused: number, refused_by_code: Record<string, number> },
  outcome: string,
  events: number
): void {
  const code = outcome.slice(REFUSED.length)
  totals.refused += events
  totals.refused_by_code[code] = (totals.refused_by_code[code] ?? 0) + events
}
