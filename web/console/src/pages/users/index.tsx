import { useState } from 'preact/hooks'

import { useLocation } from 'preact-iso'

import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { Page } from '../../ui/layout.tsx'
import { Tabs } from '../../ui/tabs.tsx'
import { Invitations } from './invitations.tsx'
import { Invite } from './invite.tsx'
import { Members } from './members.tsx'

/** The members of the organisation, and the open invitations. */
export default function UsersPage () {
  const { query: { tab }, route } = useLocation()
  const [inviting, setInviting] = useState(false)
  const [round, setRound] = useState(0)
  const isInvitations = tab === 'invitations'
  const invitations = `${at('users')}?tab=invitations`

  function refresh () {
    setRound(round + 1)
    route(invitations)
  }

  const invite = <Button kind='primary' icon='plus' onClick={() => setInviting(true)}>Invite a user</Button>
  return (
    <Page title='Users' lead='The people who sign in to this console.' actions={invite}>
      <Tabs
        label='Parts of the page'
        items={[
          { href: at('users'), label: 'Members', current: !isInvitations },
          { href: invitations, label: 'Open invitations', current: isInvitations }
        ]}
      />
      {isInvitations ? <Invitations key={round} action={invite} /> : <Members />}
      {inviting ? <Invite onClose={() => setInviting(false)} onStored={refresh} /> : null}
    </Page>
  )
}
