import { useRoute } from 'preact-iso'

import { call } from '../../api/client.ts'
import { useQuery } from '../../api/use-query.ts'
import { useSources } from '../../api/use-sources.ts'
import { at } from '../../shell/paths.ts'
import { Copyable } from '../../ui/copy.tsx'
import { Json } from '../../ui/json.tsx'
import { Badge, Facts, Page, Section } from '../../ui/layout.tsx'
import { ErrorNotice, Loading } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { pageOf, text, titleOf } from './stored-event.ts'
import type { StoredEvent } from './stored-event.ts'

/** One stored event: facts and all that was sent. */
export default function EventPage () {
  const { params: { id = '' } } = useRoute()
  const { data, error, reload } = useQuery(id, (signal) => call('get', 'events/{id}', { path: { id }, signal }))
  const lead = <a href={`${at('events')}?tab=stored`}>Stored events</a>
  if (data === undefined) {
    return <Page title='Event' lead={lead}>{error === undefined ? <Loading lines={6} /> : <ErrorNotice error={error} retry={reload} />}</Page>
  }
  return (
    <Page title={titleOf(data)} lead={lead}>
      <Section title='Facts'><EventFacts event={data} /></Section>
      <Section title='As JSON' lead='The event as it was sent, with what the server added.'>
        <Json value={data} what='event' />
      </Section>
    </Page>
  )
}

function EventFacts ({ event }: { event: StoredEvent }) {
  const sources = useSources().data
  const sourceId = text(event, 'sourceId') ?? ''
  const source = sources?.get(sourceId)
  const isSigned = event['authMethod'] === 'signature'
  const ids = ['userId', 'anonymousId', 'messageId'] as const
  const values = ids.map((member) => [member, text(event, member)] as const).filter(([, value]) => value !== undefined)
  const page = pageOf(event)
  const address = text(event, 'ip')
  const agent = text(event, 'userAgent')
  return (
    <Facts
      items={[
        ['Type', <Badge>{text(event, 'type') ?? '–'}</Badge>],
        ['Source', source === undefined ? sourceId : <a href={at('sources/:id', { id: sourceId })}>{source.name}</a>],
        ['Received', <Time at={text(event, 'receivedAt')} />],
        ['Happened', <Time at={text(event, 'timestamp')} never='Not sent' />],
        ...values.map(([member, value = '']) => [TITLES[member], <Id member={member} value={value} />] as const),
        ...page === undefined ? [] : [['Page', page] as const],
        ['Accepted by', isSigned ? 'Signature of a server' : 'Pipeline key'],
        ...address === undefined ? [] : [['Address', <code>{address}</code>] as const],
        ...agent === undefined ? [] : [['User agent', agent] as const]
      ]}
    />
  )
}

const TITLES = { userId: 'User id', anonymousId: 'Anonymous id', messageId: 'Message id' }
const PARAMETERS = { userId: 'user_id', anonymousId: 'anonymous_id', messageId: 'message_id' }

/** An id to copy, with a link to the events that have the same one. */
function Id ({ member, value }: { member: keyof typeof TITLES, value: string }) {
  const query = new URLSearchParams({ tab: 'stored', [PARAMETERS[member]]: value })
  return (
    <span class='badges'>
      <Copyable value={value} what={TITLES[member].toLowerCase()} />
      {member === 'messageId' ? null : <a href={`${at('events')}?${query.toString()}`}>All events with this id</a>}
    </span>
  )
}
