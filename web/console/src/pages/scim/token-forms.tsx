import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { may } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { SecretOnce } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { SelectField, TextField } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { OVERLAPS } from '../sso/secret.tsx'
import type { Token } from './token.ts'

/** The token in a dialog that only the button closes, because it is shown once. */
function TokenOnce ({ value, onClose }: { value: string, onClose: () => void }) {
  return <Dialog title='The token'><SecretOnce what='token' values={[value]} onDone={onClose} /></Dialog>
}

export function NewToken ({ onCreated, onClose }: { onCreated: () => void, onClose: () => void }) {
  const [created, setCreated] = useState<string>()
  const form = useForm(async ({ name = '', role, expires_in_days: days = '' }) => {
    const { key } = await call('post', 'keys', {
      body: {
        name,
        role: role === 'owner' ? 'owner' : 'admin',
        permissions: ['scim:manage'],
        ...days === '' ? {} : { expires_in_days: Number(days) }
      }
    })
    setCreated(key)
    onCreated()
  })
  if (created !== undefined) return <TokenOnce value={created} onClose={onClose} />
  return (
    <Dialog title='New token for a directory' onClose={onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField
          name='name' label='Name' required maxLength={200} form={form} autofocus placeholder='Okta'
          hint='The directory that uses it. The audit log names the token.'
        />
        {may('owner')
          ? (
            <SelectField
              name='role' label='Highest role' form={form} choices={[['admin', 'Admin'], ['owner', 'Owner']]}
              hint='With Admin the directory can neither create owners nor change or lock out one.'
            />
            )
          : null}
        <SelectField
          name='expires_in_days' label='Expires' form={form} defaultValue='365'
          choices={[['90', 'In 90 days'], ['365', 'In a year'], ['730', 'In two years'], ['', 'Never']]}
        />
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' busy={form.busy}>Create the token</Button>
        </footer>
      </form>
    </Dialog>
  )
}

interface RotateTokenProps {
  token: Token
  onRotated: () => void
  onClose: () => void
}

export function RotateToken ({ token: { id, name }, onRotated, onClose }: RotateTokenProps) {
  const [rotated, setRotated] = useState<string>()
  const form = useForm(async ({ overlap_seconds: overlap }) => {
    const { key } = await call('post', 'keys/{id}/rotate', { path: { id }, body: { overlap_seconds: Number(overlap) } })
    setRotated(key)
    onRotated()
  })
  if (rotated !== undefined) return <TokenOnce value={rotated} onClose={onClose} />
  return (
    <Dialog title={`Rotate "${name}"`} onClose={onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <SelectField
          name='overlap_seconds' label='The previous token works for' form={form} choices={OVERLAPS} defaultValue='86400'
          hint='Enter the new token in the directory within this time. It keeps the role and the expiry.'
        />
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' busy={form.busy}>Rotate the token</Button>
        </footer>
      </form>
    </Dialog>
  )
}
