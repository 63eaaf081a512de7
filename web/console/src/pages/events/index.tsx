import { useLocation } from 'preact-iso'

import { Page } from '../../ui/layout.tsx'
import { Tabs } from '../../ui/tabs.tsx'
import { at } from '../../shell/paths.ts'
import { useSources } from '../../api/use-sources.ts'
import { LiveTab } from './live-tab.tsx'
import { StoredTab } from './stored-tab.tsx'

/** The events that arrive, and a search among those that are stored. */
export default function EventsPage () {
  const { query: { tab, source_id: source, type } } = useLocation()
  const { data: sources } = useSources()
  const isStored = tab === 'stored'
  // Both tabs have these filters.
  const linkTo = (parameters: Record<string, string>) => {
    const query = new URLSearchParams(parameters)
    if (source !== undefined) query.set('source_id', source)
    if (type !== undefined) query.set('type', type)
    return `${at('events')}?${query.toString()}`
  }
  return (
    <Page title='Events' lead='What your sources send: as it arrives, and what is stored.'>
      <Tabs
        label='Events'
        items={[
          { href: linkTo({ tab: 'live' }), label: 'Live', current: !isStored },
          { href: linkTo({ tab: 'stored' }), label: 'Stored', current: isStored }
        ]}
      />
      {isStored ? <StoredTab sources={sources} /> : <LiveTab sources={sources} />}
    </Page>
  )
}
