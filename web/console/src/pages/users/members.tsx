import { call } from '../../api/client.ts'
import type { Reply } from '../../api/paths.ts'
import { me } from '../../api/session.ts'
import { filledPage, useQuery } from '../../api/use-query.ts'
import { at } from '../../shell/paths.ts'
import { Badge } from '../../ui/layout.tsx'
import { Empty } from '../../ui/states.tsx'
import { List, useCursor } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { RoleBadge } from './roles.tsx'

export type Member = Reply<'get', 'users/{id}'>

const COLUMNS: ReadonlyArray<Column<Member>> = [
  {
    title: 'Email',
    cell: ({ id, email }) => (
      <span class='badges'>
        <a class='row-link' href={at('users/:id', { id })}>{email}</a>
        {id === me.get()?.id ? <Badge>You</Badge> : null}
      </span>
    )
  },
  { title: 'Role', cell: ({ role }) => <RoleBadge role={role} /> },
  { title: 'State', cell: ({ disabled }) => <MemberState disabled={disabled} /> },
  { title: 'Last sign-in', cell: ({ last_login_at: last }) => <Time at={last} /> },
  { title: 'Member since', cell: ({ created_at: created }) => <Time at={created} /> }
]

export function Members () {
  const cursor = useCursor()
  const query = useQuery(`users ${cursor ?? ''}`, (signal) =>
    filledPage((next) => call('get', 'users', { query: { ...next === undefined ? {} : { cursor: next }, limit: 25 }, signal }), cursor))
  return (
    <List
      caption='Users' columns={COLUMNS} query={query} keyOf={({ id }) => id}
      empty={<Empty icon='users' title='No users'>Invite the people who work with you.</Empty>}
    />
  )
}

export function MemberState ({ disabled }: Pick<Member, 'disabled'>) {
  return disabled ? <Badge tone='bad'>Disabled</Badge> : <Badge tone='good'>Enabled</Badge>
}
