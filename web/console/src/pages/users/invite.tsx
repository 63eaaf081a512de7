import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { ApiError } from '../../api/errors.ts'
import type { Role } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { toast } from '../../ui/toast.tsx'
import { RoleField } from './roles.tsx'

/** Invites a person by mail. `onStored` is called when the invitation exists, also if its mail was not sent. */
export function Invite ({ onClose, onStored }: { onClose: () => void, onStored: () => void }) {
  const [role, setRole] = useState<Role>('viewer')
  const form = useForm(async ({ email = '' }) => {
    try {
      await call('post', 'users/invite', { body: { email: email.trim(), role } })
    } catch (error) {
      // The invitation is in the list, from where its mail can be sent again.
      if (error instanceof ApiError && error.status === 503) onStored()
      throw error
    }
    toast(`The invitation to ${email.trim()} is sent.`)
    onStored()
    onClose()
  })
  return (
    <Dialog title='Invite a user' onClose={onClose}>
      <p class='soft'>
        The person gets a mail with a link that is valid for 7 days and once. A new invitation of the same email
        replaces an open one.
      </p>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField
          name='email' label='Email' type='email' required maxLength={254} autocomplete='off'
          placeholder='ann@example.com' form={form} autofocus
        />
        <RoleField form={form} value={role} onChoose={setRole} />
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' busy={form.busy}>Send the invitation</Button>
        </footer>
      </form>
    </Dialog>
  )
}
