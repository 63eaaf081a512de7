import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import type { Reply } from '../../api/paths.ts'
import { useQuery } from '../../api/use-query.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Badge, Section } from '../../ui/layout.tsx'
import { ErrorNotice, Loading } from '../../ui/states.tsx'
import { Table } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'

type Session = Reply<'get', 'auth/sessions'>['data'][number]

/** Where the user is signed in. */
export function Sessions () {
  const { data, error, reload } = useQuery('sessions', (signal) => call('get', 'auth/sessions', { signal }))
  const [asking, setAsking] = useState<Session | 'others'>()

  async function end () {
    if (asking === 'others') await call('post', 'auth/logout-others', {})
    else if (asking !== undefined) await call('delete', 'auth/sessions/{id}', { path: { id: asking.id } })
    toast(asking === 'others' ? 'Your other sessions have ended.' : 'The session has ended.')
    reload()
  }

  const others = data?.data.some(({ current }) => !current) ?? false
  return (
    <Section
      title='Sessions' lead='Where you are signed in.'
      actions={others ? <Button onClick={() => setAsking('others')}>End the other sessions…</Button> : undefined}
    >
      {data === undefined && error === undefined ? <Loading /> : null}
      <ErrorNotice error={error} retry={reload} />
      {data === undefined
        ? null
        : (
          <Table
            caption='Sessions' rows={data.data} keyOf={({ id }) => id}
            columns={[
              {
                title: 'Device',
                cell: ({ device, user_agent: agent, current }) => (
                  <span class='badges' title={agent}>{device ?? 'Unknown device'}{current ? <Badge tone='good'>This one</Badge> : null}</span>
                )
              },
              { title: 'Address', cell: ({ ip_address: address }) => <code>{address}</code> },
              { title: 'Last used', cell: ({ last_used_at: at }) => <Time at={at} /> },
              { title: 'Ends', cell: ({ expires_at: at }) => <Time at={at} /> },
              {
                title: 'Actions',
                kind: 'actions',
                cell: (session) => session.current ? null : <Button kind='ghost' onClick={() => setAsking(session)}>End…</Button>
              }
            ]}
          />
          )}
      {asking === undefined
        ? null
        : (
          <Confirm
            title={asking === 'others' ? 'End the other sessions?' : 'End the session?'}
            action={asking === 'others' ? 'End the other sessions' : 'End the session'} run={end} onClose={() => setAsking(undefined)}
          >
            <p>
              {asking === 'others'
                ? 'All browsers and programs in which you are signed in, except this one, are signed out within a second.'
                : `${asking.device ?? 'The device'} is signed out within a second.`}
            </p>
          </Confirm>
          )}
    </Section>
  )
}
