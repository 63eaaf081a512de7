import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import type { Reply } from '../../api/paths.ts'
import { useMemberNames } from '../../api/use-member-names.ts'
import { filledPage, useQuery } from '../../api/use-query.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Badge } from '../../ui/layout.tsx'
import { MemberName } from '../../ui/member-name.tsx'
import { Empty } from '../../ui/states.tsx'
import { List, useCursor } from '../../ui/table.tsx'
import type { Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'
import { mayGive, RoleBadge, titleOf } from './roles.tsx'

type Invitation = Reply<'get', 'users/invitations'>['data'][number]

interface Question {
  kind: 'resend' | 'withdraw'
  invitation: Invitation
}

/** The open invitations: send the mail again, withdraw. `action` is offered if there is none. */
export function Invitations ({ action }: { action: ComponentChildren }) {
  const [asking, setAsking] = useState<Question>()
  const cursor = useCursor()
  const query = useQuery(`invitations ${cursor ?? ''}`, (signal) =>
    filledPage((next) =>
      call('get', 'users/invitations', { query: { ...next === undefined ? {} : { cursor: next }, limit: 25 }, signal }), cursor))
  const names = useMemberNames(query.data?.data.map(({ invited_by: by }) => by) ?? [])
  const columns: ReadonlyArray<Column<Invitation>> = [
    { title: 'Email', cell: ({ email }) => <strong>{email}</strong> },
    { title: 'Role', cell: ({ role }) => <RoleBadge role={role} /> },
    {
      title: 'Invited',
      cell: ({ created_at: at, invited_by: by }) => (
        <span class='stacked'><Time at={at} /><small class='soft'>by <MemberName id={by} names={names} /></small></span>
      )
    },
    {
      title: 'Expires',
      cell: ({ expires_at: at }) => Date.parse(at) <= Date.now()
        ? <Badge tone='warning'>Expired</Badge>
        : <Time at={at} />
    },
    {
      title: 'Actions',
      kind: 'actions',
      cell: (invitation) => mayGive(invitation.role)
        ? (
          <span class='row-actions'>
            <Button kind='ghost' onClick={() => setAsking({ kind: 'resend', invitation })}>Resend…</Button>
            <Button kind='ghost' onClick={() => setAsking({ kind: 'withdraw', invitation })}>Withdraw…</Button>
          </span>
          )
        : null
    }
  ]
  return (
    <>
      <List
        caption='Open invitations' columns={columns} query={query} keyOf={({ id }) => id}
        empty={
          <Empty icon='users' title='No open invitation' action={action}>
            An invitation is here until the person accepts it, it is withdrawn, or its 7 days are over.
          </Empty>
        }
      />
      {asking === undefined ? null : <Ask {...asking} onClose={() => setAsking(undefined)} reload={query.reload} />}
    </>
  )
}

interface AskProps extends Question {
  onClose: () => void
  reload: () => void
}

function Ask ({ kind, invitation: { id, email, role }, onClose, reload }: AskProps) {
  async function resend () {
    await call('post', 'users/invitations/{id}/resend', { path: { id } })
    toast(`A new link is sent to ${email}.`)
    reload()
  }
  async function withdraw () {
    await call('delete', 'users/invitations/{id}', { path: { id } })
    toast(`The invitation of ${email} is withdrawn.`)
    reload()
  }
  return kind === 'resend'
    ? (
      <Confirm title='Resend the invitation?' action='Resend the invitation' kind='primary' run={resend} onClose={onClose}>
        <p>{email} gets a mail with a new link for the role {titleOf(role).toLowerCase()}, valid for 7 days.</p>
        <p>The previous link stops working. You become the sender of the invitation.</p>
      </Confirm>
      )
    : (
      <Confirm title='Withdraw the invitation?' action='Withdraw the invitation' run={withdraw} onClose={onClose}>
        <p>The link in the mail to {email} stops working at once. You can invite the person again later.</p>
      </Confirm>
      )
}
