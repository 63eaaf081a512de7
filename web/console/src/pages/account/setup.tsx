import { useLocation } from 'preact-iso'

import { callOpen } from '../../api/client.ts'
import { enter } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { PasswordField, TextField } from '../../ui/field.tsx'
import { NarrowPage } from '../../ui/layout.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { PASSWORD_HINT } from './reset.tsx'

/** The first run: the link that a new server prints sets the password of the owner and signs in. */
export function SetUp ({ token, email }: { token: string, email: string }) {
  const { route } = useLocation()
  const form = useForm(async ({ new_password: password = '' }) => {
    await callOpen('post', 'auth/password-reset/confirm', { body: { token, new_password: password } })
    const reply = await callOpen('post', 'auth/login', { body: { email, password } })
    if (!('mfa_required' in reply)) await enter(reply)
    route(at(''), true)
  })
  return (
    <NarrowPage title='Welcome' lead='You are the owner of this server. Choose the password of your account.'>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField name='email' label='Email' type='email' autocomplete='username' defaultValue={email} readOnly form={form} />
        <PasswordField
          name='new_password' label='Password' hint={PASSWORD_HINT} autocomplete='new-password' minLength={12} form={form} autofocus
        />
        <Button kind='primary' type='submit' busy={form.busy}>Start</Button>
      </form>
    </NarrowPage>
  )
}
