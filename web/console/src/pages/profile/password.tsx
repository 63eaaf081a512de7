import { call } from '../../api/client.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { PasswordField } from '../../ui/field.tsx'
import { Section } from '../../ui/layout.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { toast } from '../../ui/toast.tsx'
import { PASSWORD_HINT } from '../account/reset.tsx'

/** Changes the password. */
export function Password ({ email }: { email: string }) {
  const form = useForm(async ({ current_password = '', new_password = '' }, element) => {
    await call('post', 'auth/password', { body: { current_password, new_password } })
    element.reset()
    toast('Your password is changed, and your other sessions have ended.')
  })
  return (
    <Section title='Password' lead='A change ends your other sessions.'>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack slim'>
        {/* For password managers, which keep the new password for it. */}
        <input type='email' autocomplete='username' value={email} readOnly hidden />
        <PasswordField name='current_password' label='Current password' autocomplete='current-password' form={form} />
        <PasswordField name='new_password' label='New password' hint={PASSWORD_HINT} autocomplete='new-password' minLength={12} form={form} />
        <div class='actions'><Button type='submit' busy={form.busy}>Change the password</Button></div>
      </form>
    </Section>
  )
}
