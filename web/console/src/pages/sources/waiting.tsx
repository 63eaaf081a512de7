import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'
import { meaningOf } from '../refusal-codes.ts'
import type { Source } from './state.tsx'
import { useArrivals } from './use-arrivals.ts'
import type { Refusals, StoredEvent } from './use-arrivals.ts'

interface WaitingProps {
  source: Source
  /** Called after a domain was added. */
  onChange: () => void
}

/** Waits for the first event and turns green. Meanwhile shows what is refused, and what to do about it. */
export function Waiting ({ source, onChange }: WaitingProps) {
  const { latest, refusals, error } = useArrivals(source.id)
  return (
    <div class='stack close'>
      <ErrorNotice error={error} />
      <div class={`arrival ${latest === null || latest === undefined ? 'waits' : 'good'}`} role='status'>
        {latest === undefined
          ? <p>Looking for events…</p>
          : latest === null ? <NoEvent source={source} /> : <Arrived event={latest} />}
      </div>
      {refusals.length === 0
        ? null
        : (
          <ul class='stack close' aria-label='Refused meanwhile'>
            {refusals.map((refusal) => (
              <li key={`${refusal.code} ${refusal.origin}`}>
                <Refused refusal={refusal} source={source} onChange={onChange} />
              </li>
            ))}
          </ul>
          )}
    </div>
  )
}

function NoEvent ({ source: { domains, allow_any_origin: isOpen, enabled } }: { source: Source }) {
  if (!enabled) {
    return (
      <div>
        <p><strong>The source is disabled</strong></p>
        <p class='soft'>All its keys are refused with 401. Enable it in the settings.</p>
      </div>
    )
  }
  return (
    <>
      <span class='pulse' aria-hidden='true' />
      <div>
        <p><strong>Waiting for the first event</strong></p>
        <p class='soft'>
          {isOpen || domains.length > 0
            ? 'Send one by the code. '
            : 'Send one from a server: no page may send, because the source has no domain. '}
          {isOpen || domains.length === 0
            ? ''
            : 'A browser asks first, and sends nothing from a page whose origin is not among the domains.'}
        </p>
      </div>
    </>
  )
}

function Arrived ({ event }: { event: StoredEvent }) {
  const { type = 'event', event: name, receivedAt, context } = event
  const page = context?.page?.url
  return (
    <>
      <Icon name='check' size={20} />
      <div>
        <p><strong>Events arrive</strong></p>
        <p>
          The newest: {name === undefined ? type : `${type} “${name}”`}{page === undefined ? '' : ` from ${page}`},{' '}
          <Time at={receivedAt} />
        </p>
        <details>
          <summary>Show the event</summary>
          <pre tabIndex={0} role='group' aria-label='The newest event'>{JSON.stringify(event, null, 2)}</pre>
        </details>
      </div>
    </>
  )
}

function Refused ({ refusal, source, onChange }: WaitingProps & { refusal: Refusals }) {
  const [error, setError] = useState<Error>()
  const [busy, setBusy] = useState(false)
  const { code, message, origin, count } = refusal
  const missing = origin !== null && origin !== 'null' && !source.domains.includes(origin) ? origin : null

  async function allow (domain: string) {
    setBusy(true)
    setError(undefined)
    try {
      // The present domains, because the page may have been open for long.
      const { domains } = await call('get', 'sources/{id}', { path: { id: source.id } })
      await call('patch', 'sources/{id}', { path: { id: source.id }, body: { domains: [...domains, domain] } })
      toast(`${domain} may send now.`)
      onChange()
    } catch (thrown) {
      setError(thrown as Error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <div class='notice bad'>
      <Icon name='alert' />
      <div>
        <p>
          {origin === null
            ? <>{count === 1 ? 'An event was refused' : `${count} events were refused`}: {message}</>
            : (
              <>
                {count === 1 ? 'An event' : `${count} events`} from <code>{origin}</code>{' '}
                {count === 1 ? 'was' : 'were'} refused: the origin is not allowed.
              </>
              )}
        </p>
        <p class='hint'>{code}: {meaningOf(code)}</p>
        <ErrorNotice error={error} />
      </div>
      {missing !== null && may('editor')
        ? <Button busy={busy} onClick={() => { allow(missing).catch(setError) }}>Add {missing} to the domains</Button>
        : null}
    </div>
  )
}
