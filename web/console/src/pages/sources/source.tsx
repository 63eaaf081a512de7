import { useLocation, useRoute } from 'preact-iso'

import { call } from '../../api/client.ts'
import { useQuery } from '../../api/use-query.ts'
import { at } from '../../shell/paths.ts'
import { Page } from '../../ui/layout.tsx'
import { ErrorNotice, Loading } from '../../ui/states.tsx'
import { Tabs } from '../../ui/tabs.tsx'
import { DomainsTab } from './domains-tab.tsx'
import { KeysTab } from './keys-tab.tsx'
import { SettingsTab } from './settings-tab.tsx'
import { SetUpTab } from './set-up-tab.tsx'
import { State } from './state.tsx'
import type { Source } from './state.tsx'
import { WebhooksTab } from './webhooks/tab.tsx'

/** What each tab of a source gets. */
export interface TabProps {
  source: Source
  /** Loads the source again, after a change. */
  reload: () => void
}

const TABS = [
  ['set-up', 'Set-up', SetUpTab],
  ['keys', 'Keys', KeysTab],
  ['domains', 'Domains', DomainsTab],
  ['webhooks', 'Webhooks', WebhooksTab],
  ['settings', 'Settings', SettingsTab]
] as const

/** The model of a page of one thing: a parameter of the URL, and parts that the query of the URL chooses. */
export default function SourcePage () {
  const { params: { id = '' } } = useRoute()
  const { path, query: { tab } } = useLocation()
  const { data, error, reload } = useQuery(id, (signal) => call('get', 'sources/{id}', { path: { id }, signal }))
  if (data === undefined) {
    return <Page title='Source'>{error === undefined ? <Loading /> : <ErrorNotice error={error} retry={reload} />}</Page>
  }
  const [current, , Tab] = TABS.find(([name]) => name === tab) ?? TABS[0]
  return (
    <Page title={data.name} lead={<a href={at('sources')}>All sources</a>} actions={<State source={data} />}>
      <Tabs
        label='Parts of the source'
        items={TABS.map(([name, label]) => (
          { label, current: name === current, href: name === 'set-up' ? path : `${path}?tab=${name}` }
        ))}
      />
      <ErrorNotice error={error} retry={reload} />
      <Tab key={`${id} ${current}`} source={data} reload={reload} />
    </Page>
  )
}
