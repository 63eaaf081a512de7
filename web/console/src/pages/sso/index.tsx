import { useState } from 'preact/hooks'

import { call, callOpen } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { filledPage, useQuery } from '../../api/use-query.ts'
import type { Page as PageOf, Query } from '../../api/use-query.ts'
import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { Badge, Page, Section } from '../../ui/layout.tsx'
import { Empty, Notice } from '../../ui/states.tsx'
import { List, useCursor } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { Domains } from './domains.tsx'
import { NewProvider } from './new-provider.tsx'
import { isProved, loadDomains, PROTOCOLS } from './types.ts'
import type { Domain, Provider } from './types.ts'

const COLUMNS: ReadonlyArray<Column<Provider>> = [
  { title: 'Name', cell: ({ id, name }) => <a class='row-link' href={at('sso/:id', { id })}>{name}</a> },
  { title: 'State', cell: (provider) => <ProviderState provider={provider} /> },
  { title: 'Protocol', cell: ({ kind }) => PROTOCOLS[kind] },
  { title: 'Added', cell: ({ created_at: created }) => <Time at={created} /> }
]

/** Identity providers and email domains of the organisation. */
export default function SsoPage () {
  const [adding, setAdding] = useState(false)
  const cursor = useCursor()
  const providers = useQuery(`identity providers ${cursor ?? ''}`, (signal) =>
    filledPage((next) => call('get', 'identity-providers', {
      query: { ...next === undefined ? {} : { cursor: next }, limit: 25 }, signal
    }), cursor) as unknown as Promise<PageOf<Provider>>)
  const domains = useQuery('sso domains', loadDomains)
  const add = (kind: 'primary' | 'secondary') => may('owner')
    ? <Button kind={kind} icon='plus' onClick={() => setAdding(true)}>New identity provider</Button>
    : undefined

  return (
    <Page
      title='Single sign-on' lead='People sign in at the identity provider of your organisation, by OpenID Connect or SAML.'
      actions={isFilled(providers) ? add('primary') : undefined}
    >
      <Unproved providers={providers} domains={domains} />
      <Section title='Identity providers' lead={<OfServer />}>
        <List
          caption='Identity providers' columns={COLUMNS} query={providers} keyOf={({ id }) => id}
          empty={
            <Empty icon='login' title='No identity provider yet' action={add('primary')}>
              Prove the domain of your emails below, then add Okta, Entra ID, Google Workspace or another provider.
            </Empty>
          }
        />
      </Section>
      <Domains query={domains} />
      {adding ? <NewProvider onClose={() => setAdding(false)} /> : null}
    </Page>
  )
}

function isFilled ({ data }: Query<PageOf<Provider>>): boolean {
  return data !== undefined && data.data.length > 0
}

export function ProviderState ({ provider: { enabled, warnings } }: { provider: Provider }) {
  return (
    <span class='badges'>
      {enabled ? <Badge tone='good'>Enabled</Badge> : <Badge tone='bad'>Disabled</Badge>}
      {warnings.length === 0 ? null : <Badge tone='warning'>Needs attention</Badge>}
    </span>
  )
}

/** Says why a provider lets nobody in. */
function Unproved ({ providers, domains }: { providers: Query<PageOf<Provider>>, domains: Query<Domain[]> }) {
  if (domains.data === undefined || !isFilled(providers) || domains.data.some(isProved)) return null
  return (
    <Notice kind='warning'>
      No email domain is proved on this page. A provider signs in only people whose domain is proved here or in the
      configuration of the server.
    </Notice>
  )
}

/** The providers of the server's configuration, which the admin API does not manage. */
function OfServer () {
  const { data } = useQuery('providers of the server', () => callOpen('get', 'auth/sso', {}))
  const names = data?.providers.map(({ name }) => name) ?? []
  if (names.length === 0) return <>Each provider gives access to this organisation alone.</>
  const list = new Intl.ListFormat('en', { type: 'conjunction' }).format(names)
  return <>The configuration of the server also has {list}, which cannot be changed here.</>
}
