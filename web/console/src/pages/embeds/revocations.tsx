import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import type { Reply } from '../../api/paths.ts'
import { may, me } from '../../api/session.ts'
import { useStore } from '../../api/store.ts'
import { filledPage, useQuery } from '../../api/use-query.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Filters, useFilters } from '../../ui/filters.tsx'
import type { Filter } from '../../ui/filters.tsx'
import { Badge } from '../../ui/layout.tsx'
import { Empty } from '../../ui/states.tsx'
import { List, useCursor } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'
import { useUserNames } from '../audit-log/names.ts'
import type { Names } from '../audit-log/names.ts'
import { changes } from './changed.ts'
import { KINDS } from './meanings.ts'
import { inFull } from './reach.tsx'

type Revocation = Reply<'get', 'embeds/revocations'>['data'][number]

/** The revocations, newest first, and a way to lift each. */
export function Revocations () {
  const round = useStore(changes)
  const users = useUserNames()
  const [asking, setAsking] = useState<Revocation>()
  const cursor = useCursor()
  const query = useFilters(filters())
  const found = useQuery(`revocations ${JSON.stringify(query)} ${cursor ?? ''} ${round}`, (signal) =>
    filledPage((next) => call('get', 'embeds/revocations', {
      query: { ...query, ...next === undefined ? {} : { cursor: next }, limit: 25 }, signal
    }), cursor))

  async function lift ({ id, kind, subject }: Revocation) {
    await call('delete', 'embeds/revocations/{id}', { path: { id } })
    toast(`The revocation of the ${kind} "${subject ?? ''}" is lifted.`)
    found.reload()
  }

  return (
    <>
      <Filters label='Filters of revocations' filters={filters()} />
      <List
        caption='Revocations' columns={columnsOf(users, setAsking)} query={found} keyOf={({ id }) => id}
        empty={Object.keys(query).length > 0
          ? <Empty icon='search' title='No revocation matches'>Nothing is revoked under this name.</Empty>
          : <Empty icon='lock' title='Nothing is revoked'>Revoke a user, a tenant or a dashboard to stop its embeds at once.</Empty>}
      />
      {asking === undefined
        ? null
        : (
          <Confirm
            title={`Lift the revocation of "${asking.subject ?? ''}"?`} action='Lift the revocation'
            run={() => lift(asking)} onClose={() => setAsking(undefined)}
          >
            <p>
              Embeds of the {asking.kind} are granted again, within a second on every server. Also what was issued before{' '}
              {inFull(asking.before)} counts again: sessions and user references that have not expired.
            </p>
          </Confirm>
          )}
    </>
  )
}

function filters (): readonly Filter[] {
  const kinds = Object.entries(KINDS).map(([kind, { title }]) => [kind, title] as const)
  return [
    { name: 'kind', label: 'Kind', choices: [['', 'All kinds'], ...kinds] },
    // Below admin the API refuses to search for a person.
    ...may('admin') ? [{ name: 'subject', label: 'Name', maxLength: 256 }] : []
  ]
}

function columnsOf (
  users: Names | undefined,
  ask: (revocation: Revocation) => void
): ReadonlyArray<Column<Revocation>> {
  const admin: ReadonlyArray<Column<Revocation>> = [
    { title: 'By', cell: ({ created_by: by }) => <Creator id={by} users={users} /> },
    {
      title: 'Actions',
      kind: 'actions',
      cell: (revocation) => (
        <Button kind='ghost' aria-label={`Lift the revocation of ${revocation.subject ?? ''}`} onClick={() => ask(revocation)}>Lift…</Button>
      )
    }
  ]
  return [
    {
      title: 'Name',
      cell: ({ subject }) => subject === null ? <span class='soft'>A user</span> : <strong class='wrap'>{subject}</strong>
    },
    { title: 'Kind', cell: ({ kind }) => KINDS[kind].title },
    { title: 'State', cell: ({ before }) => <State before={before} /> },
    { title: 'Revoked', cell: ({ created_at: created }) => <Time at={created} /> },
    ...may('admin') ? admin : []
  ]
}

function State ({ before }: { before: string }) {
  const isBlocked = Date.parse(before) > Date.now()
  return (
    <span class='outcome'>
      {isBlocked ? <Badge tone='bad'>Blocked</Badge> : <Badge>New sign-ins accepted</Badge>}
      <small>{isBlocked ? 'Until' : 'Refuses what is older than'} {inFull(before)}</small>
    </span>
  )
}

function Creator ({ id, users }: { id: string | null, users: Names | undefined }) {
  const user = useStore(me)
  if (id === null) return <span class='soft'>Unknown</span>
  // An API key and a former user have only an id.
  return id === user?.id ? <>You</> : <span class='wrap'>{users?.get(id) ?? id}</span>
}
