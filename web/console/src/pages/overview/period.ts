import type { Reply } from '../../api/paths.ts'
import type { ChartPoint, ChartSeries } from '../../ui/chart.tsx'

export type Stats = Reply<'get', 'stats'>

const HOUR = 3_600_000
const DAY = 24 * HOUR

export interface Period {
  /** The value in the URL. */
  name: string
  label: string
  /** Milliseconds. */
  length: number
  interval: 'hour' | 'day'
}

export const PERIODS = [
  { name: '24h', label: '24 hours', length: DAY, interval: 'hour' },
  { name: '7d', label: '7 days', length: 7 * DAY, interval: 'hour' },
  { name: '30d', label: '30 days', length: 30 * DAY, interval: 'day' }
] as const satisfies readonly Period[]

/** Returns the period of the URL. Default: 24 hours. */
export function periodOf (name: string | undefined): Period {
  return PERIODS.find((period) => period.name === name) ?? PERIODS[0]
}

/** Returns the query of the statistics of a period that ends now. */
export function currentOf ({ length, interval }: Period, now = Date.now()) {
  return { from: new Date(now - length).toISOString(), interval }
}

/** Returns the query of the statistics of the period before, which ends where the other one starts. */
export function formerOf ({ length, interval }: Period, { from }: Pick<Stats, 'from'>) {
  return { from: new Date(Date.parse(from) - length).toISOString(), to: from, interval }
}

export type Outcome = 'accepted' | 'deduplicated' | 'bot' | 'refused'

/**
 * Returns what to compare with the period before: the sum of all whole hours or days. The current one is not over and
 * is left out, because the period before has only whole ones.
 */
export function comparable ({ events: { series } }: Stats, outcome: Outcome): number {
  return sum(series[outcome].slice(0, -1))
}

export const OUTCOMES: ReadonlyArray<Pick<ChartSeries, 'label' | 'color'> & { outcome: Outcome }> = [
  { outcome: 'accepted', label: 'Accepted', color: '--chart-1' },
  { outcome: 'deduplicated', label: 'Duplicates', color: '--chart-2' },
  { outcome: 'bot', label: 'Bots', color: '--chart-3' },
  { outcome: 'refused', label: 'Refused', color: '--chart-4' }
]

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric' })
const hourOf = new Intl.DateTimeFormat(undefined, { weekday: 'short', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' })
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric' })
// Days are days of the server, in UTC.
const dayOf = new Intl.DateTimeFormat(undefined, { weekday: 'short', month: 'short', day: 'numeric', timeZone: 'UTC' })
const shortDay = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', timeZone: 'UTC' })
/** Hours that are one bar of the chart of a week. */
const QUARTER = 6

/** Returns the points and series of the chart: hours of a day, quarters of the days of a week, or days of a month. */
export function chartOf ({ name }: Period, { times, events }: Stats): { points: ChartPoint[], series: ChartSeries[] } {
  const groups = name === '7d' ? quartersOf(times) : times.map((_time, at) => [at, at + 1] as const)
  const points = groups.map(([start, end]): ChartPoint => {
    const first = new Date(times[start] ?? '')
    if (name === '30d') return { label: `${dayOf.format(first)} (UTC)`, tick: shortDay.format(first) }
    const last = new Date(Date.parse(times[end - 1] ?? '') + HOUR)
    return {
      label: hourOf.formatRange(first, last),
      tick: name === '24h' ? clock.format(first) : first.getHours() === 0 ? weekday.format(first) : null
    }
  })
  const series = OUTCOMES.map(({ outcome, label, color }) => ({
    label, color, values: groups.map(([start, end]) => sum(events.series[outcome].slice(start, end)))
  }))
  return { points, series }
}

/** Returns the hours that are in the same quarter of a day, in the zone of the reader, as start and end. */
function quartersOf (times: readonly string[]): Array<readonly [number, number]> {
  const keys = times.map((time) => {
    const date = new Date(time)
    return `${date.toDateString()} ${Math.floor(date.getHours() / QUARTER)}`
  })
  const starts = keys.flatMap((key, at) => key === keys[at - 1] ? [] : [at])
  return starts.map((start, at) => [start, starts[at + 1] ?? times.length])
}

export function sum (values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
