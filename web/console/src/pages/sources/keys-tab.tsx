import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { useQuery } from '../../api/use-query.ts'
import { Button } from '../../ui/button.tsx'
import { Section } from '../../ui/layout.tsx'
import { Empty, ErrorNotice, Loading } from '../../ui/states.tsx'
import { Table } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { KeyActions } from './key-actions.tsx'
import { KeyName, KeyValue, expiryOf } from './key-cells.tsx'
import type { PipelineKey } from './key-cells.tsx'
import { KeyForm } from './key-form.tsx'
import { ServerSecret } from './server-secret.tsx'
import type { TabProps } from './source.tsx'

/** The pipeline keys of a source and its server secret. */
export function KeysTab ({ source, reload }: TabProps) {
  const { id } = source
  const [creating, setCreating] = useState(false)
  const keys = useQuery(`keys ${id}`, (signal) => call('get', 'sources/{id}/keys', { path: { id }, signal }))
  const changed = () => {
    keys.reload()
    reload()
  }
  const columns: ReadonlyArray<Column<PipelineKey>> = [
    { title: 'Name', cell: (key) => <KeyName pipelineKey={key} /> },
    { title: 'Pipeline key', cell: (key) => <KeyValue pipelineKey={key} reload={keys.reload} /> },
    { title: 'Last used', cell: ({ last_used_at: at }) => <Time at={at} /> },
    { title: 'Expires', cell: expiryOf },
    ...may('admin')
      ? [{
          title: 'Actions',
          kind: 'actions' as const,
          cell: (key: PipelineKey) => <KeyActions source={source} pipelineKey={key} onChange={changed} />
        }]
      : []
  ]
  const [main, ...named] = keys.data?.data ?? []
  const create = may('admin') ? <Button icon='plus' onClick={() => setCreating(true)}>New key</Button> : undefined

  return (
    <>
      <Section
        title='Pipeline keys' actions={create}
        lead='A key names the source. It may be public: the domains decide which pages may send with it.'
      >
        <ErrorNotice error={keys.error} retry={keys.reload} />
        {keys.data === undefined
          ? keys.error === undefined ? <Loading /> : null
          : (
            <Table
              caption='Pipeline keys' columns={columns} rows={main === undefined ? [] : [main, ...named]}
              keyOf={({ id: key }) => key}
            />
            )}
        {keys.data !== undefined && named.length === 0 && may('admin')
          ? (
            <Empty icon='key' title='No named key yet'>
              Create one for each site, app or partner, so that one can end without the others.
            </Empty>
            )
          : null}
      </Section>
      <ServerSecret source={source} onChange={reload} />
      {creating ? <KeyForm source={source} onDone={changed} onClose={() => setCreating(false)} /> : null}
    </>
  )
}
