import { useState } from 'preact/hooks'

import { call } from '../../../api/client.ts'
import { may } from '../../../api/session.ts'
import { useQuery } from '../../../api/use-query.ts'
import { Copyable, SecretOnce } from '../../../ui/copy.tsx'
import { Badge, Facts, Section } from '../../../ui/layout.tsx'
import { ErrorNotice, Loading, Notice } from '../../../ui/states.tsx'
import { Time } from '../../../ui/time.tsx'
import { EVENTS_URL } from '../events-url.ts'
import { dropSecret, secretOf } from '../new-secret.ts'
import type { Source } from '../state.tsx'
import { TestDelivery } from './test-delivery.tsx'
import { WebhookActions } from './webhook-actions.tsx'
import { titleOf } from './presets.ts'

interface WebhookDetailProps {
  source: Source
  id: string
  /** The URL of the list. */
  all: string
}

/** One webhook: what to enter at the service, its secret, and a test delivery. */
export function WebhookDetail ({ source, id: wid, all }: WebhookDetailProps) {
  const path = { id: source.id, wid }
  const [secret, setSecret] = useState(secretOf(wid))
  const { data, error, reload } = useQuery(`webhook ${wid}`, (signal) =>
    call('get', 'sources/{id}/webhooks/{wid}', { path, signal }))
  if (data === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} retry={reload} />

  function done () {
    dropSecret(wid)
    setSecret(undefined)
  }

  const address = `${EVENTS_URL}/v1/webhook?source=${wid}`
  return (
    <>
      <Section
        title={data.name} lead={<a href={all}>All webhooks</a>}
        actions={<WebhookActions source={source} webhook={data} all={all} onChange={reload} onSecret={setSecret} />}
      >
        <ErrorNotice error={error} retry={reload} />
        {secret === undefined ? null : <SecretOnce values={[secret]} what='webhook secret' onDone={done} />}
        {source.enabled ? null : <Notice kind='warning'>The source is disabled, so its deliveries are refused.</Notice>}
        <Facts
          items={[
            ['State', data.enabled ? <Badge tone='good'>Enabled</Badge> : <Badge tone='bad'>Disabled</Badge>],
            ['Service', titleOf(data.provider)],
            ['Address', <Copyable value={address} what='address of the webhook' />],
            ['Secret', <code>{data.secret_prefix}…</code>],
            ...data.custom === null
              ? []
              : [['Signature', <>{String(data.custom.hash)} as {String(data.custom.encoding)} in <code>{String(data.custom.header)}</code></>] as const],
            ['Mapping', data.mapping === null
              ? 'That of the service'
              : <pre class='plain'>{JSON.stringify(data.mapping, null, 2)}</pre>],
            ['Changed', <Time at={data.updated_at} />]
          ]}
        />
      </Section>
      {may('editor') ? <TestDelivery source={source} webhook={data} onSaved={reload} /> : null}
    </>
  )
}
