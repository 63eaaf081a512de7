import { call } from '../../api/client.ts'
import { includes, PERMISSION_GROUPS } from '../../api/permissions.ts'
import type { Role } from '../../api/session.ts'
import { useQuery } from '../../api/use-query.ts'
import { ErrorNotice, Loading } from '../../ui/states.tsx'

/** The permissions that a key of a role can have, as check boxes named `permissions`. */
export function PermissionField ({ role, mistake }: { role: Role, mistake: string | undefined }) {
  const { data, error, reload } = useQuery('permissions', (signal) => call('get', 'permissions', { signal }))
  if (data === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} retry={reload} />
  return (
    <>
      <fieldset class='permission-groups'>
        <legend>Allow the key to</legend>
        {groupsOf(data.data, role).map(([title, entries]) => (
          <div key={title}>
            <h3>{title}</h3>
            {entries.map(({ name, label }) => (
              <label key={name} class='tick' title={name}>
                <input {...{ type: 'checkbox' } as object} name='permissions' value={name} />
                <span>{label}</span>
              </label>
            ))}
          </div>
        ))}
      </fieldset>
      {mistake === undefined ? null : <p class='mistake'>{mistake}</p>}
    </>
  )
}

type Group = readonly [string, Array<{ name: string, label: string }>]

/** The permissions that the server knows and the role includes; those of the host's own routes at the end. */
function groupsOf (names: readonly string[], role: Role): Group[] {
  const known = PERMISSION_GROUPS.map(([title, entries]): Group => [
    title,
    entries.flatMap(({ name, label, from }) =>
      name !== null && names.includes(name) && includes(role, from) ? [{ name, label }] : [])
  ])
  const described = new Set(PERMISSION_GROUPS.flatMap(([, entries]) => entries.map(({ name }) => name)))
  const own: Group = ['Your app', names.filter((name) => !described.has(name)).map((name) => ({ name, label: name }))]
  return [...known, own].filter(([, entries]) => entries.length > 0)
}
