import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import type { Reply } from '../../api/paths.ts'
import { useMemberNames } from '../../api/use-member-names.ts'
import { filledPage, useQuery } from '../../api/use-query.ts'
import { Button } from '../../ui/button.tsx'
import { Badge, Page } from '../../ui/layout.tsx'
import { MemberName } from '../../ui/member-name.tsx'
import { Empty } from '../../ui/states.tsx'
import { List, useCursor } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { titleOf } from '../users/roles.tsx'
import { KeyMenu } from './key-menu.tsx'
import { NewKey } from './new-key.tsx'

export type ApiKey = Reply<'get', 'keys/{id}'>

const SOON = 14 * 86_400_000

/** The API keys of programs. */
export default function ApiKeysPage () {
  const [creating, setCreating] = useState(false)
  const cursor = useCursor()
  const query = useQuery(`keys ${cursor ?? ''}`, (signal) =>
    filledPage((next) => call('get', 'keys', { query: { ...next === undefined ? {} : { cursor: next }, limit: 25 }, signal }), cursor))
  const { reload } = query
  const names = useMemberNames(query.data?.data.map(({ created_by: by }) => by) ?? [])
  const create = <Button kind='primary' icon='plus' onClick={() => setCreating(true)}>New API key</Button>
  const columns: ReadonlyArray<Column<ApiKey>> = [
    {
      title: 'Name',
      cell: ({ name, prefix }) => <span class='stacked'><strong>{name}</strong><code class='soft'>{prefix}…</code></span>
    },
    { title: 'Permissions', cell: (key) => <Permissions apiKey={key} /> },
    { title: 'Last used', cell: ({ last_used_at: last }) => <Time at={last} /> },
    { title: 'Expires', cell: ({ expires_at: end }) => <Expiry at={end} /> },
    {
      title: 'Created',
      cell: ({ created_at: created, created_by: by }) => (
        <span class='stacked'><Time at={created} /><small class='soft'><MemberName id={by} names={names} /></small></span>
      )
    },
    { title: 'Actions', kind: 'actions', cell: (key) => <KeyMenu apiKey={key} onChanged={reload} /> }
  ]
  return (
    <Page
      title='API keys' actions={create}
      lead='Programs call the admin API with an API key, such as a pipeline that creates sources.'
    >
      <List
        caption='API keys' columns={columns} query={query} keyOf={({ id }) => id}
        empty={
          <Empty icon='key' title='No API key yet' action={create}>
            Create a key for each program, with only the permissions that the program needs.
          </Empty>
        }
      />
      {creating ? <NewKey onClose={() => setCreating(false)} onCreated={reload} /> : null}
    </Page>
  )
}

function Permissions ({ apiKey: { role, permissions } }: { apiKey: ApiKey }) {
  return (
    <span class='stacked'>
      <span>{titleOf(role)}</span>
      {permissions === null
        ? <small class='soft'>All of the role</small>
        : <small class='soft' title={permissions.join('\n')}>{summary(permissions)}</small>}
    </span>
  )
}

function summary (permissions: readonly string[]): string {
  const [first = 'None', second, ...others] = permissions
  if (second === undefined) return first
  return others.length === 0 ? `${first}, ${second}` : `${first} and ${permissions.length - 1} more`
}

function Expiry ({ at }: { at: string | null }) {
  if (at === null) return <span class='soft'>Never</span>
  const left = Date.parse(at) - Date.now()
  if (left <= 0) return <span class='badges'><Badge tone='bad'>Expired</Badge><Time at={at} /></span>
  return left > SOON ? <Time at={at} /> : <span class='badges'><Badge tone='warning'>Soon</Badge><Time at={at} /></span>
}
