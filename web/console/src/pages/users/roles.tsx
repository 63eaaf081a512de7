import { may } from '../../api/session.ts'
import type { Role } from '../../api/session.ts'
import type { Form } from '../../api/use-form.ts'
import { SelectField } from '../../ui/field.tsx'
import { Badge } from '../../ui/layout.tsx'

/** The roles from the lowest, with what each may do. */
export const ROLES: ReadonlyArray<readonly [Role, title: string, may: string]> = [
  ['viewer', 'Viewer', 'Reads sources, events and statistics.'],
  ['editor', 'Editor', 'As a viewer, and creates and changes sources, and replays refused events.'],
  ['admin', 'Admin', 'As an editor, and manages keys, users and embeds, and reads the audit log.'],
  ['owner', 'Owner', 'As an admin, and manages owners, single sign-on and the organisation.']
]

export function titleOf (role: string): string {
  return ROLES.find(([name]) => name === role)?.[1] ?? role
}

/** Returns whether the user may give a role, or change a member who has it. */
export function mayGive (role: string): boolean {
  return role !== 'owner' || may('owner')
}

export function RoleBadge ({ role }: { role: string }) {
  return <Badge tone={role === 'owner' ? 'accent' : 'neutral'}>{titleOf(role)}</Badge>
}

interface RoleFieldProps {
  form: Pick<Form, 'mistakeOf'>
  value: string
  onChoose: (role: Role) => void
  label?: string
}

/** A choice of the roles that the user may give, with what the chosen one may do. */
export function RoleField ({ form, value, onChoose, label = 'Role' }: RoleFieldProps) {
  const given = ROLES.filter(([role]) => mayGive(role))
  return (
    <SelectField
      name='role' label={label} form={form} value={value} choices={given.map(([role, title]) => [role, title])}
      hint={ROLES.find(([role]) => role === value)?.[2]}
      onChange={({ currentTarget }) => onChoose(currentTarget.value as Role)}
    />
  )
}
