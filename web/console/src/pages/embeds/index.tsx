import { may } from '../../api/session.ts'
import { useParameters } from '../../api/use-parameters.ts'
import { Button } from '../../ui/button.tsx'
import { Page } from '../../ui/layout.tsx'
import { Tabs } from '../../ui/tabs.tsx'
import { Requests } from './requests.tsx'
import { Revocations } from './revocations.tsx'
import { Revoke } from './revoke.tsx'

/** What the embedding routes granted and refused, and what is revoked. */
export default function EmbedsPage () {
  const { query, hrefOf, set } = useParameters()
  const isRevocations = query['tab'] === 'revocations'
  const clear = Object.fromEntries(Object.keys(query).map((name) => [name, undefined]))
  return (
    <Page
      title='Embeds' lead='Who got a dashboard or a chart of DataBrain, Bold BI or dxFeed, and who may not any more.'
      actions={may('admin')
        ? <Button kind='primary' icon='lock' onClick={() => set({ revoke: 'user', subject: undefined })}>Lock out a user…</Button>
        : undefined}
    >
      <Tabs
        label='Parts of the page'
        items={[
          { href: hrefOf(clear), label: 'Requests', current: !isRevocations },
          { href: hrefOf({ ...clear, tab: 'revocations' }), label: 'Revocations', current: isRevocations }
        ]}
      />
      {isRevocations ? <Revocations /> : <Requests />}
      {query['revoke'] !== undefined && may('admin') ? <Revoke key={`${query['revoke']} ${query['subject']}`} /> : null}
    </Page>
  )
}
