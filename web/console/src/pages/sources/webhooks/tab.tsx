import { useState } from 'preact/hooks'

import { useLocation } from 'preact-iso'

import { call } from '../../../api/client.ts'
import { may } from '../../../api/session.ts'
import { filledPage, useQuery } from '../../../api/use-query.ts'
import { Button } from '../../../ui/button.tsx'
import { Badge, Section, useTitleFocus } from '../../../ui/layout.tsx'
import { Empty } from '../../../ui/states.tsx'
import { List, useCursor } from '../../../ui/table.tsx'
import type { Column } from '../../../ui/table.tsx'
import { Time } from '../../../ui/time.tsx'
import type { TabProps } from '../source.tsx'
import { NewWebhook } from './new-webhook.tsx'
import { titleOf } from './presets.ts'
import type { Webhook } from './presets.ts'
import { WebhookDetail } from './webhook.tsx'

/** The webhooks of a source, or the one in the URL. */
export function WebhooksTab ({ source }: TabProps) {
  const { path, query: { webhook } } = useLocation()
  const all = `${path}?tab=webhooks`
  useTitleFocus(webhook ?? '')
  return webhook === undefined
    ? <WebhookList sourceId={source.id} all={all} />
    : <WebhookDetail key={webhook} source={source} id={webhook} all={all} />
}

function WebhookList ({ sourceId: id, all }: { sourceId: string, all: string }) {
  const { route } = useLocation()
  const [creating, setCreating] = useState(false)
  const cursor = useCursor()
  const query = useQuery(`webhooks ${id} ${cursor ?? ''}`, (signal) =>
    filledPage((next) => call('get', 'sources/{id}/webhooks', {
      path: { id }, query: { ...next === undefined ? {} : { cursor: next }, limit: 25 }, signal
    }), cursor))
  const linkTo = (webhook: string) => `${all}&webhook=${encodeURIComponent(webhook)}`
  const columns: ReadonlyArray<Column<Webhook>> = [
    { title: 'Name', cell: ({ id: webhook, name }) => <a class='row-link' href={linkTo(webhook)}>{name}</a> },
    { title: 'Service', cell: ({ provider }) => titleOf(provider) },
    { title: 'State', cell: ({ enabled }) => enabled ? <Badge tone='good'>Enabled</Badge> : <Badge tone='bad'>Disabled</Badge> },
    { title: 'Created', cell: ({ created_at: created }) => <Time at={created} /> }
  ]
  const create = may('admin')
    ? <Button icon='plus' onClick={() => setCreating(true)}>New webhook</Button>
    : undefined
  return (
    <Section
      title='Webhooks' actions={create}
      lead='Another service sends its events here, signed with a secret. They become events of this source.'
    >
      <List
        caption='Webhooks' columns={columns} query={query} keyOf={({ id: webhook }) => webhook}
        empty={
          <Empty icon='source' title='No webhook yet'>
            {may('admin')
              ? 'Create one to receive the events of Stripe, Shopify, HubSpot, GitHub or another service.'
              : 'An owner or admin can create one.'}
          </Empty>
        }
      />
      {creating
        ? <NewWebhook sourceId={id} onDone={(webhook) => route(linkTo(webhook))} onClose={() => setCreating(false)} />
        : null}
    </Section>
  )
}
