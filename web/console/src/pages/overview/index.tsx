import { useLocation } from 'preact-iso'

import { at } from '../../shell/paths.ts'
import { Page } from '../../ui/layout.tsx'
import { Segments } from '../../ui/segments.tsx'
import { ErrorNotice, Loading } from '../../ui/states.tsx'
import { Arrival, hasArrived } from './arrival.tsx'
import { useOverview } from './data.ts'
import type { Overview } from './data.ts'
import { Embeds } from './embeds.tsx'
import { Events } from './events.tsx'
import { Logins } from './logins.tsx'
import { Notices } from './notices.tsx'
import { PERIODS, periodOf } from './period.ts'
import type { Period } from './period.ts'
import { Refusals } from './refusals.tsx'
import { SourceTable } from './source-table.tsx'

/** The first page: what arrives, what is refused and why, and what needs attention. */
export default function OverviewPage () {
  const { query } = useLocation()
  const period = periodOf(query['period'])
  const overview = useOverview(period)
  const { stats, sources, notices, error, reload } = overview
  const periods = PERIODS.map(({ name, label }) => ({
    href: name === PERIODS[0].name ? at('') : `${at('')}?period=${name}`, label, current: name === period.name
  }))
  return (
    <Page
      title='Overview' lead='What arrives, what is refused, and why.'
      actions={<Segments label='Period' items={periods} />}
    >
      <ErrorNotice error={error} retry={reload} />
      <Notices notices={notices} />
      {stats === undefined || sources === undefined
        ? error === undefined ? <Loading lines={9} /> : null
        : <Content key={period.name} period={period} overview={{ ...overview, stats, sources }} />}
    </Page>
  )
}

type Loaded = Overview & { [Name in 'stats' | 'sources']: NonNullable<Overview[Name]> }

function Content ({ period, overview }: { period: Period, overview: Loaded }) {
  const { stats, former, sources } = overview
  const { accepted, refused, deduplicated, bot } = stats.events.totals
  const counted = accepted + refused + deduplicated + bot > 0
  return (
    <>
      <Arrival period={period} stats={stats} sources={sources} />
      {counted || hasArrived(stats) ? <Events period={period} stats={stats} former={former} /> : null}
      {counted || hasArrived(stats) ? <SourceTable stats={stats} sources={sources} /> : null}
      {refused > 0 ? <Refusals totals={stats.events.totals} sources={sources} /> : null}
      <div class='columns'>
        <Embeds embeds={stats.embeds} />
        <Logins logins={stats.logins} />
      </div>
    </>
  )
}
