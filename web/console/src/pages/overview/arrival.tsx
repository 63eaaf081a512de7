import type { ComponentChildren } from 'preact'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { useQuery } from '../../api/use-query.ts'
import { at } from '../../shell/paths.ts'
import { ButtonLink } from '../../ui/button.tsx'
import { Copyable } from '../../ui/copy.tsx'
import { Badge, Section } from '../../ui/layout.tsx'
import { inFull } from '../../ui/number.ts'
import { Empty, Notice } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { canOpen } from '../index.ts'
import { meaningOf, ranked } from '../refusal-codes.ts'
import type { Source } from './data.ts'
import type { Period, Stats } from './period.ts'
import { refusedEvents } from './refusals.tsx'

interface ArrivalProps {
  period: Period
  stats: Stats
  sources: readonly Source[]
}

/** Returns whether an event has ever been accepted. */
export function hasArrived ({ sources, events: { totals } }: Stats): boolean {
  return totals.accepted > 0 || sources.some(({ last_event_at: last }) => last !== null)
}

/** What to do if nothing arrives; nothing if events arrive. */
export function Arrival ({ period, stats, sources }: ArrivalProps) {
  const { accepted, refused } = stats.events.totals
  if (accepted > 0) return null
  if (refused > 0) return <OnlyRefused period={period} stats={stats} sources={sources} />
  if (hasArrived(stats)) return <Silence period={period} stats={stats} />
  return sources.length === 0 ? <NoSource /> : <Causes sources={sources} />
}

function NoSource () {
  const href = at(canOpen('sources/new') ? 'sources/new' : 'sources')
  const text = 'A source is a site or a server that sends events. '
  return may('editor')
    ? (
      <Empty
        icon='source' title='No source yet' action={<ButtonLink kind='primary' icon='plus' href={href}>New source</ButtonLink>}
      >
        {text}Create one to get a pipeline key, and put it into your page or server.
      </Empty>
      )
    : <Empty icon='source' title='No source yet'>{text}An editor, admin or owner of your organisation can create one.</Empty>
}

function Silence ({ period, stats }: Pick<ArrivalProps, 'period' | 'stats'>) {
  const last = stats.sources.map(({ last_event_at: at }) => at ?? '').sort().at(-1)
  return (
    <Notice kind='warning'>
      <p>No event arrived in the last {period.label}. The last one came <Time at={last} />.</p>
    </Notice>
  )
}

/** Everything was refused: says with which code and, if it is kept, from which origin. */
function OnlyRefused ({ period, stats: { events: { totals } }, sources }: ArrivalProps) {
  const [[code, count] = ['', 0]] = ranked(totals.refused_by_code)
  const keeps = sources.some(({ keep_refused: keeping }) => keeping)
  const { data: latest } = useQuery(`refused ${code} ${keeps}`, async (signal) => !keeps
    ? undefined
    : (await call('get', 'refused-events', { query: { code, limit: 1 }, signal })).data[0])
  const source = sources.find(({ id }) => id === latest?.source_id)
  const href = refusedEvents(code)
  return (
    <Notice kind='bad'>
      <div class='stack tight'>
        <p>
          <strong>Everything was refused.</strong> In the last {period.label}, {inFull(totals.refused)} requests and
          events were refused, {count === totals.refused ? 'all' : inFull(count)} with the code <code>{code}</code>.
        </p>
        <p>{meaningOf(code)}</p>
        {latest === undefined || latest.origin === null
          ? null
          : (
            <p>
              The last one came <Time at={latest.received_at} /> from <code>{latest.origin}</code>
              {source === undefined ? null : <> for <a href={at('sources/:id', { id: source.id })}>{source.name}</a></>}.
            </p>
            )}
        {href === undefined || latest === undefined ? null : <p><a href={href}>Show the refused events</a></p>}
      </div>
    </Notice>
  )
}

/** The usual causes, with the next step of each. */
function Causes ({ sources }: { sources: readonly Source[] }) {
  const [only] = sources
  const href = sources.length === 1 && only !== undefined ? at('sources/:id', { id: only.id }) : at('sources')
  const theSource = <a href={href}>{sources.length === 1 ? only?.name : 'your sources'}</a>
  const disabled = sources.filter(({ enabled }) => !enabled)
  return (
    <Section
      title='No event has arrived yet'
      lead='The first event appears here within 30 seconds. If you have sent one already, check these causes.'
    >
      <ol class='causes'>
        {disabled.length === 0
          ? null
          : (
            <Cause title={disabled.length === sources.length ? 'The source is disabled' : 'A source is disabled'} found>
              {disabled.slice(0, 3).map(({ id, name }, index) => (
                <>{index === 0 ? '' : ', '}<a key={id} href={at('sources/:id', { id })}>{name}</a></>
              ))} refuses all events with 401. Enable it.
            </Cause>
            )}
        <Cause title='The pipeline key is wrong'>
          Compare the key in your page or server with that of {theSource}. Requests with an unknown key are refused with
          401 and are counted nowhere, because they belong to no source.
        </Cause>
        <Cause title='The domain of the page is not allowed'>
          Add the site to the domains of {theSource}. Pages of other sites are refused with{' '}
          <code>ORIGIN_NOT_ALLOWED</code>, which this page then shows.
        </Cause>
        <Cause title='The page blocks the request'>
          <span>
            The Content-Security-Policy of your page must allow this server in <code>connect-src</code>, and in{' '}
            <code>img-src</code> for the pixel:
          </span>
          <Copyable value={location.origin} what='address of the server' />
        </Cause>
        <Cause title='Nothing is sent at all'>
          A consent tool may wait for the visitor, and an ad blocker may stop the script. Open the network panel of the
          browser and look for requests to this server.
        </Cause>
      </ol>
    </Section>
  )
}

function Cause ({ title, found = false, children }: { title: string, found?: boolean, children: ComponentChildren }) {
  return (
    <li>
      <div>
        <h3>{title} {found ? <Badge tone='bad'>Found</Badge> : null}</h3>
        <p class='soft'>{children}</p>
      </div>
    </li>
  )
}
