import { call } from '../../api/client.ts'
import { has } from '../../api/features.ts'
import { includes, PERMISSION_GROUPS } from '../../api/permissions.ts'
import type { Permission } from '../../api/permissions.ts'
import { may } from '../../api/session.ts'
import { useQuery } from '../../api/use-query.ts'
import { Icon } from '../../ui/icon.tsx'
import { Section } from '../../ui/layout.tsx'
import { ErrorNotice, Loading } from '../../ui/states.tsx'
import { ROLES } from '../users/roles.tsx'

/** What each role may do, and the permission with which an API key may do it. */
export function Roles () {
  const mayAsk = may('admin') && has('keys')
  const { data, error, reload } = useQuery('permissions', async (signal) =>
    mayAsk ? (await call('get', 'permissions', { signal })).data : null)
  return (
    <Section
      title='Roles and permissions'
      lead='Each role includes the roles before it. An API key has a role too, and may be limited to single permissions.'
    >
      {data === undefined && error === undefined ? <Loading /> : null}
      <ErrorNotice error={error} retry={reload} />
      {data === undefined ? null : <Matrix names={data} />}
    </Section>
  )
}

/** `names`: the permissions that the server knows; `null`: not known. */
function Matrix ({ names }: { names: readonly string[] | null }) {
  const isKnown = ({ name }: Permission) => name === null || names === null || names.includes(name)
  return (
    <table class='matrix'>
      <caption class='visually-hidden'>Roles and permissions</caption>
      <thead>
        <tr>
          <th scope='col'>Permission</th>
          {ROLES.map(([role, title]) => <th key={role} scope='col'>{title}</th>)}
        </tr>
      </thead>
      {PERMISSION_GROUPS.map(([title, entries]) => (
        <tbody key={title}>
          <tr class='group'><th scope='rowgroup' colSpan={ROLES.length + 1}>{title}</th></tr>
          {entries.filter(isKnown).map(({ name, label, from }) => (
            <tr key={label}>
              <th scope='row'>{label}{name === null ? null : <code>{name}</code>}</th>
              {ROLES.map(([role]) => (
                <td key={role}>
                  {includes(role, from)
                    ? <><Icon name='check' /><span class='visually-hidden'>Yes</span></>
                    : <><span class='soft' aria-hidden='true'>–</span><span class='visually-hidden'>No</span></>}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      ))}
    </table>
  )
}
