import { useMemo } from 'preact/hooks'

import { Chart } from '../../ui/chart.tsx'
import { Section } from '../../ui/layout.tsx'
import { bytes, changeOf, inFull } from '../../ui/number.ts'
import { Tiles } from '../../ui/tiles.tsx'
import type { Tile } from '../../ui/tiles.tsx'
import { OUTCOMES, chartOf, comparable } from './period.ts'
import type { Outcome, Period, Stats } from './period.ts'

interface EventsProps {
  period: Period
  stats: Stats
  former: Stats | undefined
}

/** The numbers of events, compared with the period before, and when the events came. */
export function Events ({ period, stats, former }: EventsProps) {
  const { points, series } = useMemo(() => chartOf(period, stats), [period, stats])
  const { totals } = stats.events
  const numbers = OUTCOMES.map(({ outcome, label }) => `${inFull(totals[outcome])} ${label.toLowerCase()}`)
  return (
    <>
      <Tiles
        items={[
          ...(['accepted', 'refused', 'deduplicated', 'bot'] as const).map((outcome) => tileOf(outcome, { period, stats, former })),
          { label: 'Data accepted', value: bytes(totals.bytes), note: 'Size as JSON' },
          { label: 'Active sessions', value: inFull(stats.logins.active_sessions), note: 'Now' }
        ]}
      />
      <Section title='Events over time'>
        <Chart
          label={`Events of the last ${period.label}: ${numbers.join(', ')}.`} points={points} series={series}
        />
      </Section>
    </>
  )
}

function tileOf (outcome: Outcome, { period, stats, former }: EventsProps): Tile {
  const label = OUTCOMES.find((known) => known.outcome === outcome)?.label ?? outcome
  const tile = { label, value: inFull(stats.events.totals[outcome]) }
  if (former === undefined) return { ...tile, note: ' ' }
  const [now, before] = [comparable(stats, outcome), former.events.totals[outcome]]
  if (before === 0) return { ...tile, note: 'None before' }
  const tone = outcome !== 'refused' || now === before ? {} : { tone: now > before ? 'bad' as const : 'good' as const }
  const title = `Compared with the ${period.label} before; the current ${period.interval} is left out`
  return { ...tile, ...tone, note: <span title={title}>{changeOf(now, before)} <span class='soft'>from {inFull(before)}</span></span> }
}
