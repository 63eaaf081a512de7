import { useState } from 'preact/hooks'

import { useLocation, useRoute } from 'preact-iso'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { useQuery } from '../../api/use-query.ts'
import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { Copyable } from '../../ui/copy.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { JsonText } from '../../ui/json.tsx'
import { Facts, Page, Section } from '../../ui/layout.tsx'
import { bytes } from '../../ui/number.ts'
import { ErrorNotice, Loading, Notice } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'
import { AllowOrigin } from './allow-origin.tsx'
import { KEPT_CAUSES, titleOf } from '../refusal-codes.ts'
import { State } from './index.tsx'
import type { RefusedEvent } from './index.tsx'
import { Replay } from './replay.tsx'

/** One refused event: why it was refused, what to do about it, and what was sent. */
export default function RefusedEventPage () {
  const { params: { id = '' } } = useRoute()
  const { data, error, reload } = useQuery(id, (signal) => call('get', 'refused-events/{id}', { path: { id }, signal }))
  const lead = <a href={at('refused-events')}>Refused events</a>
  if (data === undefined) {
    return (
      <Page title='Refused event' lead={lead}>
        {error === undefined ? <Loading lines={6} /> : <ErrorNotice error={error} retry={reload} />}
      </Page>
    )
  }
  return (
    <Page title={titleOf(data.code)} lead={lead}>
      <Cause event={data} onChange={reload} />
      <Section title='Request'><RequestFacts event={data} /></Section>
      <Section title='Body' lead='As it was sent, without the pipeline key.'>
        {data.truncated ? <Notice kind='warning'>The end of the body is missing, because it was too long.</Notice> : null}
        {data.payload === '' ? <p class='soft'>The body is empty.</p> : <JsonText text={data.payload} what='body' />}
      </Section>
      {may('editor') ? <Removal event={data} /> : null}
    </Page>
  )
}

function Cause ({ event, onChange }: { event: RefusedEvent, onChange: () => void }) {
  const { code, reason, source_id: id, replayable, replayed_at: replayed } = event
  const { data: source, reload } = useQuery(`source ${id}`, (signal) =>
    call('get', 'sources/{id}', { path: { id }, signal }))
  return (
    <Section title='Why it was refused' lead={reason} actions={<State event={event} />}>
      <p>{KEPT_CAUSES[code]?.explanation ?? 'See the error codes in the documentation.'}</p>
      {replayed !== null
        ? <Notice kind='good'>The event was replayed <Time at={replayed} />: it is stored with your other events.</Notice>
        : null}
      {replayed === null && code === 'ORIGIN_NOT_ALLOWED' && source !== undefined
        ? <AllowOrigin event={event} source={source} onChange={reload} />
        : null}
      {replayed === null && replayable && may('editor') ? <Replay event={event} onChange={onChange} /> : null}
    </Section>
  )
}

function RequestFacts ({ event }: { event: RefusedEvent }) {
  const { source_id: id, message_id: message, path, user_agent: agent, content_type: type } = event
  const source = useQuery(`source ${id}`, (signal) => call('get', 'sources/{id}', { path: { id }, signal })).data
  return (
    <Facts
      items={[
        ['Code', <code>{event.code}</code>],
        ['Source', source === undefined ? id : <a href={at('sources/:id', { id })}>{source.name}</a>],
        ['Received', <Time at={event.received_at} />],
        ['Event', event.event ?? event.type ?? 'Unknown'],
        ...message === null ? [] : [['Message id', <Copyable value={message} what='message id' />] as const],
        ['Origin', event.origin === null ? 'None: sent by a server or an app' : <code>{event.origin}</code>],
        ['Path', <code>{path}</code>],
        ['Content type', type ?? 'None'],
        ['Signature', event.signed ? 'Verified' : 'None, or not verified'],
        ['Address', <code>{event.ip}</code>],
        ['User agent', agent ?? 'None'],
        ['Size', bytes(event.bytes)]
      ]}
    />
  )
}

function Removal ({ event: { id } }: { event: RefusedEvent }) {
  const { route } = useLocation()
  const [asking, setAsking] = useState(false)
  async function remove () {
    await call('delete', 'refused-events/{id}', { path: { id } })
    toast('The refused event is deleted.')
    route(at('refused-events'))
  }
  return (
    <Section
      title='Delete the refused event' lead='It can then neither be read nor replayed.'
      actions={<Button kind='danger' onClick={() => setAsking(true)}>Delete…</Button>}
    >
      {asking
        ? (
          <Confirm title='Delete this refused event?' action='Delete the event' run={remove} onClose={() => setAsking(false)}>
            <p>Its body is deleted and it can no longer be replayed. An event that was stored by a replay stays.</p>
          </Confirm>
          )
        : null}
    </Section>
  )
}
