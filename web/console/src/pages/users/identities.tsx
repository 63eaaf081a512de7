import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import type { Reply } from '../../api/paths.ts'
import { useQuery } from '../../api/use-query.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Section } from '../../ui/layout.tsx'
import { ErrorNotice, Loading } from '../../ui/states.tsx'
import { Table } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { toast } from '../../ui/toast.tsx'
import type { Member } from './members.tsx'
import { mayGive } from './roles.tsx'

type Identity = Reply<'get', 'users/{id}/identities'>['data'][number]

/** The accounts at identity providers with which the member signs in. */
export function Identities ({ member: { id, email, role } }: { member: Member }) {
  const [asking, setAsking] = useState<Identity>()
  const { data, error, reload } = useQuery(`identities ${id}`, async (signal) => {
    const [{ data: identities }, { data: providers }] = await Promise.all([
      call('get', 'users/{id}/identities', { path: { id }, signal }),
      call('get', 'identity-providers', { query: { limit: 100 }, signal })
    ])
    return { identities, names: new Map(providers.map(({ id: provider, name }) => [provider, name])) }
  })
  const nameOf = (provider: string) => data?.names.get(provider) ?? provider

  async function unlink () {
    if (asking === undefined) return
    await call('delete', 'users/{id}/identities/{provider_id}', { path: { id, provider_id: asking.provider_id } })
    toast(`The identity at ${nameOf(asking.provider_id)} is unlinked.`)
    reload()
  }

  return (
    <Section title='Single sign-on' lead='Accounts at identity providers with which the person signs in.'>
      {data === undefined && error === undefined ? <Loading lines={1} /> : null}
      <ErrorNotice error={error} retry={reload} />
      {data?.identities.length === 0 ? <p class='soft'>The person has not signed in through an identity provider.</p> : null}
      {data === undefined || data.identities.length === 0
        ? null
        : (
          <Table
            caption='Identities' rows={data.identities} keyOf={({ provider_id: provider }) => provider}
            columns={[
              { title: 'Provider', cell: ({ provider_id: provider }) => nameOf(provider) },
              { title: 'Id at the provider', cell: ({ subject }) => <code>{subject}</code> },
              { title: 'Linked', cell: ({ created_at: at }) => <Time at={at} /> },
              { title: 'Last sign-in', cell: ({ last_login_at: at }) => <Time at={at} /> },
              {
                title: 'Actions',
                kind: 'actions',
                cell: (identity) => mayGive(role)
                  ? <Button kind='ghost' onClick={() => setAsking(identity)}>Unlink…</Button>
                  : null
              }
            ]}
          />
          )}
      {asking === undefined
        ? null
        : (
          <Confirm
            title='Unlink the identity?' action='Unlink the identity' run={unlink}
            onClose={() => setAsking(undefined)}
          >
            <p>
              The sessions that {email} started through {nameOf(asking.provider_id)} end at once. The next sign-in
              through the provider links an identity again, also with another id there.
            </p>
          </Confirm>
          )}
    </Section>
  )
}
