import { useEffect, useRef, useState } from 'preact/hooks'

import type { Source } from '../../api/use-sources.ts'
import { at } from '../../shell/paths.ts'
import { Button, ButtonLink } from '../../ui/button.tsx'
import { Filters, useFilters } from '../../ui/filters.tsx'
import type { Filter } from '../../ui/filters.tsx'
import { inFull } from '../../ui/number.ts'
import { Empty, ErrorNotice, Notice } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { LiveEntry } from './live-entry.tsx'
import { MAX_ROWS } from './live-rows.ts'
import { TYPE_FILTER, sourceFilter } from './stored-event.ts'
import { useLive } from './use-live.ts'
import type { Live } from './use-live.ts'

const OUTCOME_FILTER: Filter = {
  name: 'outcome',
  label: 'Outcome',
  choices: [['', 'Accepted and refused'], ['accepted', 'Accepted'], ['refused', 'Refused']]
}
const NAMES: readonly Filter[] = [{ name: 'source_id', label: '' }, { name: 'type', label: '' }, { name: 'outcome', label: '' }]

/** Events as they are accepted and refused. */
export function LiveTab ({ sources }: { sources: ReadonlyMap<string, Source> | undefined }) {
  const query = useFilters(NAMES)
  const live = useLive(query)
  const [open, setOpen] = useState<string>()
  const { rows, state, error, dropped, hasGap, clear, pause, proceed } = live

  function toggle (key: string) {
    // What is being read does not move.
    if (open !== key) pause()
    setOpen(open === key ? undefined : key)
  }

  return (
    <div class='stack'>
      <Filters
        label='Filters of the live view'
        filters={[sourceFilter(sources, query['source_id']), TYPE_FILTER, OUTCOME_FILTER]}
      />
      <div class='live-bar'>
        <State live={live} />
        <div class='actions'>
          {rows.shown.length === 0 ? null : <Button kind='ghost' onClick={clear}>Clear</Button>}
          {rows.isPaused
            ? <Button kind='primary' icon='play' onClick={proceed}>{proceedLabel(rows.waitingCount)}</Button>
            : <Button icon='pause' onClick={pause}>Pause</Button>}
        </div>
      </div>
      {error === undefined ? null : <ErrorNotice error={error} {...state === 'off' ? { retry: live.retry } : {}} />}
      {dropped === 0
        ? null
        : (
          <Notice kind='warning'>
            {inFull(dropped)} events are not shown, because too many arrived at once. The accepted ones are stored: see
            the tab Stored.
          </Notice>
          )}
      {hasGap
        ? <Notice kind='warning'>The connection was lost for a while. Events of this time may be missing here.</Notice>
        : null}
      {rows.waitingCount > MAX_ROWS
        ? <Notice>Only the newest {inFull(MAX_ROWS)} of {inFull(rows.waitingCount)} events will be shown.</Notice>
        : null}
      {rows.shown.length === 0
        ? state === 'off' ? null : <Nothing live={live} />
        : (
          <ul class='live-list' aria-label='Events, newest first'>
            {rows.shown.map((row) => (
              <LiveEntry
                key={row.key} row={row} sources={sources} isOpen={row.key === open} onToggle={() => toggle(row.key)}
              />
            ))}
          </ul>
          )}
      <Announcement live={live} />
    </div>
  )
}

function proceedLabel (waiting: number): string {
  return waiting === 0 ? 'Continue' : `Continue (${inFull(waiting)} new)`
}

const STATES: Readonly<Record<Live['state'], string>> = {
  connecting: 'Connecting…',
  live: 'Live',
  waiting: 'The connection is lost. Connecting again…',
  off: 'Not connected'
}

function State ({ live: { state, rows: { isPaused }, stats } }: { live: Live }) {
  const isRunning = state === 'live' && !isPaused
  return (
    <p class='live-state'>
      <span class={`dot ${isRunning ? 'good' : state === 'live' ? 'neutral' : 'warning'}`} aria-hidden='true' />
      <strong>{state === 'live' && isPaused ? 'Paused' : STATES[state]}</strong>
      {stats === undefined
        ? null
        : (
          <span class='soft'>
            {inFull(stats.accepted)} accepted and {inFull(stats.refused)} refused since the server started{' '}
            <Time at={stats.since} />
          </span>
          )}
    </p>
  )
}

function Nothing ({ live: { rows: { isPaused, waitingCount } } }: { live: Live }) {
  return (
    <Empty
      icon='events' title={isPaused && waitingCount > 0 ? 'The view is paused' : 'Waiting for events'}
      action={<ButtonLink href={`${at('events')}?tab=stored`}>Stored events</ButtonLink>}
    >
      Events appear here as they are accepted or refused, from the moment you open this page.
      Older ones are among the stored events.
    </Empty>
  )
}

const ANNOUNCE_EVERY = 15_000

/** Says to screen readers now and then how many events came, instead of each of them. */
function Announcement ({ live: { rows, state } }: { live: Live }) {
  const [said, say] = useState('')
  const latest = useRef<string | undefined>(undefined)
  const current = useRef(rows)
  current.current = rows

  useEffect(() => {
    const timer = setInterval(() => {
      const { shown, isPaused } = current.current
      const known = shown.findIndex(({ key }) => key === latest.current)
      const added = known === -1 ? shown : shown.slice(0, known)
      latest.current = shown[0]?.key
      if (added.length === 0 || isPaused) return
      const refused = added.filter(({ outcome }) => outcome === 'refused').length
      say(`${added.length} new events${refused === 0 ? '' : `, ${refused} of them refused`}.`)
    }, ANNOUNCE_EVERY)
    return () => clearInterval(timer)
  }, [])
  return <p class='visually-hidden' role='status'>{state === 'live' ? said : STATES[state]}</p>
}
