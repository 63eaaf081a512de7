import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { has } from '../../api/features.ts'
import type { Reply } from '../../api/paths.ts'
import { may } from '../../api/session.ts'
import type { Role } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { useQuery } from '../../api/use-query.ts'
import { GuideLink } from '../../shell/guide.tsx'
import { Button } from '../../ui/button.tsx'
import { Copyable } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { SelectField } from '../../ui/field.tsx'
import { Facts, Page, Section } from '../../ui/layout.tsx'
import { ErrorNotice, Loading } from '../../ui/states.tsx'
import { Table } from '../../ui/table.tsx'
import { toast } from '../../ui/toast.tsx'
import { ROLE_CHOICES, ROLE_NAMES, RoleRows, rowsFrom } from '../sso/role-rows.tsx'
import { Tokens } from './tokens.tsx'

type Settings = Reply<'get', 'scim'>

/** Provisioning by SCIM: where a directory connects, its tokens, and the roles of its groups. */
export default function ScimPage () {
  const { data, error, reload } = useQuery('scim', (signal) => call('get', 'scim', { signal }))
  return (
    <Page
      title='User provisioning'
      lead='Okta, Microsoft Entra ID and other directories create, change, disable and remove users by SCIM 2.0.'
    >
      {data === undefined
        ? error === undefined ? <Loading lines={6} /> : <ErrorNotice error={error} retry={reload} />
        : (
          <>
            <Connection path={data.base_path} />
            {has('keys') ? <Tokens /> : null}
            <GroupRoles settings={data} onChanged={reload} />
          </>
          )}
    </Page>
  )
}

function Connection ({ path }: { path: string }) {
  const url = new URL(path, document.location.origin).href
  return (
    <Section
      title='Connection'
      lead={
        <>
          Enter these in the directory. Guides: <GuideLink page='scim#okta'>Okta</GuideLink>,{' '}
          <GuideLink page='scim#microsoft-entra-id'>Microsoft Entra ID</GuideLink>
        </>
      }
    >
      <Facts
        items={[
          ['Base URL', <Copyable value={url} what='base URL' />],
          ['Authentication', 'HTTP header with a token (bearer)'],
          ['Field for users', <code>userName</code>],
          ['Emails', 'Only of domains that are proved under Single sign-on']
        ]}
      />
    </Section>
  )
}

interface GroupRolesProps {
  settings: Settings
  onChanged: () => void
}

function GroupRoles ({ settings, onChanged }: GroupRolesProps) {
  const [editing, setEditing] = useState(false)
  const { default_role: fallback, group_roles: groups } = settings
  return (
    <Section
      title='Roles' lead='The highest role of the groups of a user applies, within a second.'
      actions={may('owner') ? <Button onClick={() => setEditing(true)}>Change the roles…</Button> : undefined}
    >
      <Facts items={[['Without a group in this list', ROLE_NAMES[fallback]]]} />
      {groups.length === 0
        ? <p class='soft'>No group of the directory gives a role.</p>
        : (
          <Table
            caption='Roles by group' rows={groups} keyOf={({ group }) => group}
            columns={[
              { title: 'Group', cell: ({ group }) => group },
              { title: 'Role', cell: ({ role }) => ROLE_NAMES[role] }
            ]}
          />
          )}
      {editing ? <EditRoles {...{ settings, onChanged }} onClose={() => setEditing(false)} /> : null}
    </Section>
  )
}

function EditRoles ({ settings, onChanged, onClose }: GroupRolesProps & { onClose: () => void }) {
  const form = useForm(async (values) => {
    await call('patch', 'scim', {
      body: {
        default_role: values['default_role'] as Role,
        group_roles: rowsFrom(values, 'group_roles', 'group').map(({ value: group, role }) => ({ group, role }))
      }
    })
    toast('The roles are changed.')
    onClose()
    onChanged()
  })
  return (
    <Dialog title='Roles of provisioned users' onClose={onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <SelectField
          name='default_role' label='Role without a group' form={form} choices={ROLE_CHOICES} defaultValue={settings.default_role}
          hint='Of new users, and of users who leave the last group in this list.'
        />
        <RoleRows
          form={form} path='group_roles' member='group' legend='Roles by group' what='Group'
          rows={settings.group_roles.map(({ group: value, role }) => ({ value, role }))}
        />
        <p class='hint'>The name of a group as the directory shows it. Users of a group whose role changes get it at once.</p>
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' busy={form.busy}>Save</Button>
        </footer>
      </form>
    </Dialog>
  )
}
