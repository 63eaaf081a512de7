import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import type { Role } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { SelectField, TextField } from '../../ui/field.tsx'
import { Facts, Section } from '../../ui/layout.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { Table } from '../../ui/table.tsx'
import { toast } from '../../ui/toast.tsx'
import { ROLE_CHOICES, ROLE_NAMES, RoleRows, rowsFrom } from './role-rows.tsx'
import type { Provider } from './types.ts'

interface SectionProps {
  provider: Provider
  onChanged: () => void
}

/** Which role a person gets: by hand, or by a claim of the provider. */
export function RolesSection ({ provider, onChanged }: SectionProps) {
  const [editing, setEditing] = useState(false)
  const { kind, roles: { claim, mapping, fallback } } = provider
  const source = kind === 'oidc' ? 'Claim' : 'Attribute'
  return (
    <Section
      title='Accounts and roles'
      lead='The first sign-in of a person creates an account, or links the one with the same email.'
      actions={may('owner') ? <Button onClick={() => setEditing(true)}>Change the roles…</Button> : undefined}
    >
      <Facts
        items={[
          [source, claim === null ? 'None: roles are managed here, by hand' : <code>{claim}</code>],
          [claim === null ? 'Role of a new account' : 'Without a match', fallback === null ? 'No access' : ROLE_NAMES[fallback]]
        ]}
      />
      {claim === null || mapping.length === 0
        ? null
        : (
          <Table
            caption='Roles by value' rows={mapping} keyOf={({ value }) => value}
            columns={[
              { title: `Value of ${claim}`, cell: ({ value }) => <code>{value}</code> },
              { title: 'Role', cell: ({ role }) => ROLE_NAMES[role] }
            ]}
          />
          )}
      {editing ? <EditRoles {...{ provider, onChanged }} onClose={() => setEditing(false)} /> : null}
    </Section>
  )
}

function EditRoles ({ provider, onChanged, onClose }: SectionProps & { onClose: () => void }) {
  const { id, kind, roles } = provider
  const [claim, setClaim] = useState(roles.claim ?? '')
  const source = kind === 'oidc' ? 'Claim' : 'Attribute'
  const form = useForm(async (values) => {
    const fallback = values['roles/fallback']
    const entered = (values['roles/claim'] ?? '').trim()
    await call('patch', 'identity-providers/{id}', {
      path: { id },
      body: {
        roles: {
          claim: entered === '' ? null : entered,
          mapping: rowsFrom(values, 'roles/mapping', 'value'),
          fallback: fallback === 'none' ? null : fallback as Role
        }
      }
    })
    toast('The roles are changed. They apply at the next sign-in.')
    onClose()
    onChanged()
  })
  return (
    <Dialog title='Accounts and roles' onClose={onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField
          name='roles/claim' label={`${source} with the roles or groups`} form={form} maxLength={200} defaultValue={roles.claim ?? ''}
          placeholder='groups' spellcheck={false} autocapitalize='off'
          hint={kind === 'oidc'
            ? 'A name, or a path such as realm_access.roles. Empty: you set roles here, by hand.'
            : 'Empty: you set roles here, by hand.'}
          onInput={({ currentTarget }) => setClaim((currentTarget as HTMLInputElement).value)}
        />
        {claim.trim() === ''
          ? null
          : (
            <RoleRows
              form={form} path='roles/mapping' member='value' legend='Roles by value' what='Value' rows={roles.mapping}
            />
            )}
        <SelectField
          name='roles/fallback' label={claim.trim() === '' ? 'Role of a new account' : 'Role without a matching value'} form={form}
          choices={[...ROLE_CHOICES, ['none', 'No access']]} defaultValue={roles.fallback ?? 'none'}
          hint={claim.trim() === ''
            ? 'No access: nobody can sign in through this provider.'
            : 'The highest matching role applies, at each sign-in. No access: only people with a matching value get in.'}
        />
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' busy={form.busy}>Save</Button>
        </footer>
      </form>
    </Dialog>
  )
}
