import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { PasswordField, TextField } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { toast } from '../../ui/toast.tsx'

/** Starts a change of the email address: both addresses get a mail. */
export function EmailChange () {
  const [open, setOpen] = useState(false)
  const close = () => setOpen(false)
  const form = useForm(async ({ new_email = '', current_password = '' }) => {
    await call('post', 'auth/email', { body: { new_email, current_password } })
    toast(`Open the links in the mails to ${new_email} and to your present address.`)
    close()
  })
  return (
    <div class='actions'>
      <Button onClick={() => setOpen(true)}>Change the email…</Button>
      {open
        ? (
          <Dialog title='Change the email' onClose={close}>
            <p class='soft'>The present and the new address get a mail with a link. The email changes when both are opened.</p>
            <ErrorNotice error={form.error} />
            <form {...form.props} class='stack'>
              <TextField name='new_email' label='New email' type='email' autocomplete='email' required maxLength={254} form={form} autofocus />
              <PasswordField name='current_password' label='Current password' autocomplete='current-password' form={form} />
              <footer class='actions'>
                <Button onClick={close}>Cancel</Button>
                <Button kind='primary' type='submit' busy={form.busy}>Send the mails</Button>
              </footer>
            </form>
          </Dialog>
          )
        : null}
    </div>
  )
}
