import { useEffect, useRef, useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { isAborted } from '../../api/errors.ts'
import type { Body } from '../../api/paths.ts'
import type { Source } from '../../api/use-sources.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Facts } from '../../ui/layout.tsx'
import { inFull } from '../../ui/number.ts'
import { ErrorNotice, Notice } from '../../ui/states.tsx'
import { titleOf } from '../refusal-codes.ts'
import { NO_SUM, plus } from './replay-sum.ts'
import type { ReplaySum } from './replay-sum.ts'

type Selection = Body<'post', 'refused-events/replay'>

interface ReplayAllProps {
  /** The current filters. */
  query: Readonly<Record<string, string>>
  sources: ReadonlyMap<string, Source> | undefined
  onClose: () => void
  /** Called when events were replayed. */
  onChange: () => void
}

/** Replays all events of the filters, part by part, with the progress. */
export function ReplayAll ({ query, sources, onClose, onChange }: ReplayAllProps) {
  const [phase, setPhase] = useState<'asking' | 'running' | 'stopped' | 'done'>('asking')
  const [sum, setSum] = useState<ReplaySum>(NO_SUM)
  const [error, setError] = useState<Error>()
  const cursor = useRef<string | null>(null)
  const abort = useRef<AbortController | null>(null)
  // What is refused after the question is not replayed.
  const [until] = useState(() => new Date().toISOString())
  useEffect(() => () => abort.current?.abort(), [])

  async function replay () {
    const { signal } = abort.current = new AbortController()
    const { replayed: _replayed, ...filter } = query
    setPhase('running')
    setError(undefined)
    try {
      do {
        const body = { ...filter, to: filter['to'] ?? until, limit: 50, ...cursor.current === null ? {} : { cursor: cursor.current } }
        const part = await call('post', 'refused-events/replay', { body: body as Selection, signal })
        setSum((former) => plus(former, part))
        cursor.current = part.next_cursor
      } while (cursor.current !== null && !signal.aborted)
      setPhase(cursor.current === null ? 'done' : 'stopped')
    } catch (thrown) {
      setPhase('stopped')
      if (!isAborted(thrown)) setError(thrown as Error)
    }
    onChange()
  }

  const start = () => { replay().catch(setError) }
  return (
    <Dialog title='Replay refused events' onClose={phase === 'running' ? undefined : onClose}>
      {phase === 'asking' ? <Question query={query} sources={sources} /> : <Result sum={sum} phase={phase} />}
      <ErrorNotice error={error} />
      <footer class='actions'>
        {phase === 'running'
          ? <Button onClick={() => abort.current?.abort()}>Stop</Button>
          : <Button onClick={onClose} autofocus>{phase === 'asking' ? 'Cancel' : 'Close'}</Button>}
        {phase === 'asking' ? <Button kind='primary' icon='replay' onClick={start}>Replay all</Button> : null}
        {phase === 'stopped' ? <Button kind='primary' onClick={start}>Continue</Button> : null}
      </footer>
    </Dialog>
  )
}

const NAMES: ReadonlyArray<readonly [string, string]> = [
  ['source_id', 'Source'], ['code', 'Cause'], ['origin', 'Origin'], ['type', 'Type'], ['message_id', 'Message id'],
  ['from', 'Received from'], ['to', 'Received until']
]

function Question ({ query, sources }: Pick<ReplayAllProps, 'query' | 'sources'>) {
  const set = NAMES.flatMap(([name, title]) => {
    const value = query[name]
    return value === undefined ? [] : [[title, shown(name, value, sources)] as const]
  })
  return (
    <div class='stack'>
      <p>
        Each refused event {set.length === 0 ? 'of all sources ' : 'of these filters '}is checked again, by the present settings of its source.
        What is valid now is stored, with the time at which it was received first.
      </p>
      {set.length === 0 ? null : <Facts items={set} />}
      <p>No event is stored twice. Stored events go to your destinations, as new ones do. This cannot be undone.</p>
    </div>
  )
}

function shown (name: string, value: string, sources: ReplayAllProps['sources']): string {
  if (name === 'source_id') return sources?.get(value)?.name ?? value
  if (name === 'code') return titleOf(value)
  return name === 'from' || name === 'to' ? new Date(value).toLocaleString() : value
}

function Result ({ sum, phase }: { sum: ReplaySum, phase: 'running' | 'stopped' | 'done' }) {
  const refused = Object.entries(sum.stillRefused)
  return (
    <div class='stack'>
      {phase === 'done'
        ? <Notice kind={refused.length === 0 ? 'good' : 'info'}>{summary(sum)}</Notice>
        : <p role='status'>{phase === 'running' ? 'Replaying…' : 'Stopped. What was replayed stays.'}</p>}
      {phase === 'running' ? <progress aria-label='The replay runs' /> : null}
      <Facts
        items={[
          ['Stored', inFull(sum.stored)],
          ['Duplicate', `${inFull(sum.duplicate)}${sum.duplicate === 0 ? '' : ' (stored before)'}`],
          ...sum.dropped === 0 ? [] : [['Dropped', `${inFull(sum.dropped)} of bots`] as const],
          ['Still refused', inFull(refused.reduce((total, [, count]) => total + count, 0))],
          ...refused.map(([code, count]) => [`· ${titleOf(code)}`, inFull(count)] as const),
          ...sum.inProgress === 0 ? [] : [['In progress', `${inFull(sum.inProgress)} by another replay`] as const]
        ]}
      />
    </div>
  )
}

function summary ({ stored, duplicate, stillRefused }: ReplaySum): string {
  if (stored > 0) return stored === 1 ? '1 event is stored now.' : `${inFull(stored)} events are stored now.`
  if (duplicate > 0) return 'All of them were stored before.'
  return Object.keys(stillRefused).length === 0 ? 'There was nothing to replay.' : 'No event is valid yet.'
}
