import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import type { Role } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { SecretOnce } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { SelectField, TextField } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { RoleField } from '../users/roles.tsx'
import { PermissionField } from './permission-field.tsx'

const EXPIRIES: ReadonlyArray<readonly [string, string]> = [
  ['90', '90 days'], ['30', '30 days'], ['7', '7 days'], ['365', '1 year'], ['', 'Never']
]

/** Creates an API key and shows it once. */
export function NewKey ({ onClose, onCreated }: { onClose: () => void, onCreated: () => void }) {
  const [role, setRole] = useState<Role>('editor')
  const [isLimited, setLimited] = useState(false)
  const [expiry, setExpiry] = useState('90')
  const [key, setKey] = useState<string>()
  const form = useForm(async ({ name = '' }, element) => {
    const permissions = new FormData(element).getAll('permissions').map(String)
    const created = await call('post', 'keys', {
      body: {
        name,
        role,
        ...isLimited ? { permissions } : {},
        ...expiry === '' ? {} : { expires_in_days: Number(expiry) }
      }
    })
    setKey(created.key)
    onCreated()
  }, ({ scope, permissions }) => ({
    permissions: scope === 'some' && permissions === undefined ? 'Choose at least one permission.' : undefined
  }))
  if (key !== undefined) {
    return (
      <Dialog title='Your new API key'>
        <p class='soft'>Send it in the header <code>Authorization: Bearer …</code>. Never put it into a web page.</p>
        <SecretOnce values={[key]} what='API key' onDone={onClose} />
      </Dialog>
    )
  }
  return (
    <Dialog title='New API key' onClose={onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField
          name='name' label='Name' required maxLength={200} hint='The program that uses the key.' placeholder='Deploy pipeline'
          autocomplete='off' form={form} autofocus
        />
        <RoleField form={form} value={role} onChoose={setRole} />
        <SelectField
          name='scope' label='Permissions' form={form} value={isLimited ? 'some' : 'all'}
          choices={[['all', 'All permissions of the role'], ['some', 'Only some permissions']]}
          onChange={({ currentTarget }) => setLimited(currentTarget.value === 'some')}
        />
        {isLimited ? <PermissionField role={role} mistake={form.mistakeOf('permissions')} /> : null}
        <SelectField
          name='expires_in_days' label='Expires after' form={form} choices={EXPIRIES} value={expiry}
          hint={expiry === '' ? 'A key that never expires works until somebody deletes it.' : 'Rotate the key before it expires: the expiry stays the same.'}
          onChange={({ currentTarget }) => setExpiry(currentTarget.value)}
        />
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' busy={form.busy}>Create the API key</Button>
        </footer>
      </form>
    </Dialog>
  )
}
