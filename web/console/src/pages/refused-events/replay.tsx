import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import type { Reply } from '../../api/paths.ts'
import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorNotice, Notice } from '../../ui/states.tsx'
import { toast } from '../../ui/toast.tsx'
import { titleOf } from '../refusal-codes.ts'
import type { RefusedEvent } from './index.tsx'

type Result = Reply<'post', 'refused-events/{id}/replay'>

/** Replays one event. It is checked again, so nothing bad can happen: it does not ask. */
export function Replay ({ event, onChange }: { event: RefusedEvent, onChange: () => void }) {
  const { id, message_id: message } = event
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()
  const [result, setResult] = useState<Result>()

  async function replay () {
    setBusy(true)
    setError(undefined)
    try {
      const done = await call('post', 'refused-events/{id}/replay', { path: { id } })
      setResult(done)
      if (done.outcome !== 'still_refused') {
        toast(done.events.stored === 0 ? 'The event was stored before.' : 'The event is stored now.')
        onChange()
      }
    } catch (thrown) {
      setError(thrown as Error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <div class='stack'>
      <ErrorNotice error={error} />
      {result?.outcome === 'still_refused'
        ? <Notice kind='warning'>Still refused: {titleOf(result.code ?? '')}. {result.reason}</Notice>
        : null}
      <div class='line'>
        <Button icon='replay' busy={busy} onClick={() => { replay().catch(setError) }}>Replay the event</Button>
        {message === null
          ? null
          : <a href={storedOf(message)}>Stored events with this message id</a>}
      </div>
    </div>
  )
}

function storedOf (message: string): string {
  return `${at('events')}?${new URLSearchParams({ tab: 'stored', message_id: message }).toString()}`
}
