import { useState } from 'preact/hooks'

import { call } from '../api/client.ts'
import { switchTo } from '../api/session.ts'
import type { Me } from '../api/session.ts'
import { useQuery } from '../api/use-query.ts'
import { Confirm } from '../ui/dialog.tsx'
import { Icon } from '../ui/icon.tsx'
import { Menu } from '../ui/menu.tsx'

/** The current organisation; a menu if the user belongs to several. */
export function OrganisationMenu ({ user }: { user: Me }) {
  const { data } = useQuery('organisations', (signal) => call('get', 'auth/organisations', { signal }))
  const [error, setError] = useState<Error>()
  const all = data?.data ?? []
  if (all.length < 2) return <span class='organisation'>{user.org_name}</span>
  const items = all.map(({ id, name, role, current }) => ({
    label: <span>{name} <small class='soft'>{role}</small></span>,
    checked: current,
    run: () => { if (!current) switchTo(id).catch(setError) }
  }))
  return (
    <>
      <Menu label={`Organisation: ${user.org_name}`} items={items}>
        <span class='organisation'>{user.org_name}</span><Icon name='chevron' />
      </Menu>
      {error === undefined
        ? null
        : (
          <Confirm title='The organisation was not changed' action='Try again later' run={async () => {}} onClose={() => setError(undefined)}>
            <p>{error.message}</p>
          </Confirm>
          )}
    </>
  )
}
