import { useLocation, useRoute } from 'preact-iso'

import { call } from '../../api/client.ts'
import { has } from '../../api/features.ts'
import { me } from '../../api/session.ts'
import { useQuery } from '../../api/use-query.ts'
import { at } from '../../shell/paths.ts'
import { Facts, Page, Section } from '../../ui/layout.tsx'
import { ErrorNotice, Loading, Notice } from '../../ui/states.tsx'
import { Time } from '../../ui/time.tsx'
import { Access } from './access.tsx'
import { Identities } from './identities.tsx'
import { MemberState } from './members.tsx'
import { RoleChange } from './role-change.tsx'
import { mayGive, RoleBadge } from './roles.tsx'

/** A member: the role, the access, and the identities at identity providers. */
export default function UserPage () {
  const { params: { id = '' } } = useRoute()
  const { route } = useLocation()
  const { data, error, reload } = useQuery(id, (signal) => call('get', 'users/{id}', { path: { id }, signal }))
  if (data === undefined) {
    return <Page title='User'>{error === undefined ? <Loading /> : <ErrorNotice error={error} retry={reload} />}</Page>
  }
  const isSelf = id === me.get()?.id
  const mayChange = !isSelf && mayGive(data.role)
  return (
    <Page title={data.email} lead={<a href={at('users')}>All users</a>}>
      <ErrorNotice error={error} retry={reload} />
      {isSelf
        ? (
          <Notice>
            This is you. Only another administrator changes your role or your access. Your password, second factors and
            sessions are in your <a href={at('profile')}>profile</a>.
          </Notice>
          )
        : mayChange ? null : <Notice>Only an owner changes the role or the access of an owner.</Notice>}
      <Section title='Membership'>
        <Facts
          items={[
            ['State', <MemberState disabled={data.disabled} />],
            ['Role', <RoleBadge role={data.role} />],
            ['Last sign-in', <Time at={data.last_login_at} />],
            ['Member since', <Time at={data.created_at} />],
            ['Id', <code>{data.id}</code>]
          ]}
        />
      </Section>
      {mayChange ? <RoleChange key={data.role} member={data} onChanged={reload} /> : null}
      {has('sso') ? <Identities member={data} /> : null}
      {mayChange ? <Access member={data} onChanged={reload} onRemoved={() => route(at('users'))} /> : null}
    </Page>
  )
}
