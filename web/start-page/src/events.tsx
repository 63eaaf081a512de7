import { useLayoutEffect, useRef, useState } from 'preact/hooks'

import { useStore } from '../../console/src/api/store.ts'
import { Button } from '../../console/src/ui/button.tsx'
import { Badge } from '../../console/src/ui/layout.tsx'
import { Time } from '../../console/src/ui/time.tsx'
import type { PageData } from './page.ts'
import { Timeline } from './timeline-list.tsx'
import { expectCalls, newestCall, storedEvents } from './timeline.ts'
import { messageIdOf, WAYS } from './ways.ts'
import type { Way } from './ways.ts'

/** Sends events in several ways, and shows which of them are stored. */
export function Events ({ page }: { page: PageData }) {
  const [way, setWay] = useState<Way>(WAYS[0])
  const [response, setResponse] = useState<{ text: string, good: boolean }>()
  const [busy, setBusy] = useState(false)
  const [since, setSince] = useState(0)
  const count = useRef(0)
  const snippet = way.snippet(page.pipelineKey ?? 'dk_live_…')

  async function send (): Promise<void> {
    setBusy(true)
    try {
      setSince(await newestCall())
      expectCalls()
      const messageId = messageIdOf(page.eventPrefix ?? 'visitor', way.name)
      setResponse(await way.send({ page, messageId, count: ++count.current }))
    } catch (error) {
      setResponse({ text: (error as Error).message, good: false })
    } finally {
      setBusy(false)
    }
  }

  useLayoutEffect(() => setResponse(undefined), [way])

  return (
    <section class='card events' aria-labelledby='events-title'>
      <h2 id='events-title'>Event playground</h2>
      <p class='soft'>200 means that the event is stored and survives even <code>kill -9</code>.</p>
      <div class='ways' role='group' aria-label='Ways to send an event'>
        {WAYS.filter(({ needsServer }) => !needsServer || page.attacks).map((other) => (
          <button
            key={other.name} type='button' class='way' aria-pressed={other === way} onClick={() => setWay(other)}
          >{other.title}
          </button>
        ))}
      </div>
      <div class='panes'>
        <div class='pane stack'>
          <p>{way.does}</p>
          <pre class='snippet' role='group' tabIndex={0} aria-label='Code'>{snippet}</pre>
          <div class='actions'>
            <Button id='send' kind='primary' busy={busy} disabled={page.pipelineKey === null} onClick={send}>
              {way.button}
            </Button>
          </div>
          {page.pipelineKey === null && <p class='soft'>The demo source was deleted.</p>}
          <pre
            id='response' class={response === undefined ? 'soft' : response.good ? 'good' : 'bad'} aria-live='polite'
          >{response?.text ?? 'The response appears here.'}
          </pre>
          <Timeline topic='events' since={since} hasSession={page.trace !== null} idle={since === 0} />
        </div>
        <div class='pane'><Stored /></div>
      </div>
    </section>
  )
}

/** The events of this visitor that the sink contains. */
function Stored () {
  const events = useStore(storedEvents)
  return (
    <>
      <h3>Stored events</h3>
      {events.length === 0
        ? <p class='remark'>Your events appear here once they are stored. Refused events never do.</p>
        : (
          <ol class='stored' aria-label='Stored events' tabIndex={0}>
            {events.map(({ messageId, event, type, authMethod, receivedAt }) => (
              <li key={`${messageId} ${authMethod}`}>
                <b>{event ?? type}</b>
                <Badge tone='good'>{authMethod}</Badge>
                <span class='soft'><Time at={new Date(receivedAt).toISOString()} /></span>
                <code class='soft'>{messageId}</code>
              </li>
            ))}
          </ol>
          )}
    </>
  )
}
