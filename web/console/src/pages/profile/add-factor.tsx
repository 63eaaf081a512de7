import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import { createPasskey } from '../../api/passkeys.ts'
import { useForm } from '../../api/use-form.ts'
import type { Values } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { PasswordField, TextField } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { TotpSetUp } from '../sign-in/totp.tsx'
import type { TotpSecret } from '../sign-in/totp.tsx'

interface AddProps {
  /** The first factor of an account needs the current password. */
  isFirst: boolean
  onAdded: (codes: readonly string[]) => void
  onClose: () => void
}

/** Adds or replaces the authenticator app: the password, the QR code, the first code. */
export function AddApp ({ isFirst, onAdded, onClose }: AddProps) {
  const [secret, setSecret] = useState<TotpSecret>()
  const form = useForm(async (values) => setSecret(await call('post', 'auth/mfa/totp', { body: passwordOf(values) })))
  return (
    <Dialog title='Authenticator app' onClose={onClose}>
      {secret === undefined
        ? (
          <>
            <ErrorNotice error={form.error} />
            <form {...form.props} class='stack'>
              {isFirst
                ? <PasswordField name='current_password' label='Current password' autocomplete='current-password' form={form} autofocus />
                : <p class='soft'>The present app works until the new one is confirmed.</p>}
              <footer class='actions'>
                <Button onClick={onClose}>Cancel</Button>
                <Button kind='primary' type='submit' busy={form.busy}>Continue</Button>
              </footer>
            </form>
          </>
          )
        : (
          <TotpSetUp
            secret={secret}
            confirm={async (code) => {
              const { recovery_codes: codes } = await call('post', 'auth/mfa/totp/confirm', { body: { code } })
              onAdded(codes)
            }}
          />
          )}
    </Dialog>
  )
}

/** Registers a passkey of this device or of a security key. */
export function AddPasskey ({ isFirst, onAdded, onClose }: AddProps) {
  const form = useForm(async (values) => {
    const { options, challenge_token } = await call('post', 'auth/mfa/passkeys/options', { body: passwordOf(values) })
    const credential = await createPasskey(options)
    const body = { challenge_token, name: values['name'] ?? '', credential }
    const { recovery_codes: codes } = await call('post', 'auth/mfa/passkeys', { body })
    onAdded(codes)
  })
  return (
    <Dialog title='New passkey' onClose={onClose}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField name='name' label='Name' hint='Such as the device it is on.' required maxLength={100} form={form} autofocus />
        {isFirst ? <PasswordField name='current_password' label='Current password' autocomplete='current-password' form={form} /> : null}
        <footer class='actions'>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind='primary' type='submit' icon='key' busy={form.busy}>Create the passkey</Button>
        </footer>
      </form>
    </Dialog>
  )
}

function passwordOf ({ current_password: password }: Values): { current_password?: string } {
  return password === undefined ? {} : { current_password: password }
}
