import { useState } from 'preact/hooks'

import { callOpen } from '../../api/client.ts'
import { useForm } from '../../api/use-form.ts'
import { at } from '../../shell/paths.ts'
import { Button, ButtonLink } from '../../ui/button.tsx'
import { PasswordField, TextField } from '../../ui/field.tsx'
import { NarrowPage } from '../../ui/layout.tsx'
import { ErrorNotice, Notice } from '../../ui/states.tsx'

export const PASSWORD_HINT = 'At least 12 characters. Several words are easy to remember.'

/** Asks for a mail with a link that sets a new password. The answer is the same for an unknown email. */
export function RequestReset () {
  const [sentTo, setSentTo] = useState<string>()
  const form = useForm(async ({ email = '' }) => {
    await callOpen('post', 'auth/password-reset', { body: { email } })
    setSentTo(email)
  })
  if (sentTo !== undefined) {
    return (
      <NarrowPage title='Look into your mail'>
        <Notice kind='good'>If {sentTo} has an account, a mail with a link is on its way. The link is valid for 30 minutes.</Notice>
        <ButtonLink href={at('')}>Back to the sign-in</ButtonLink>
      </NarrowPage>
    )
  }
  return (
    <NarrowPage title='Forgot your password?' lead='You get a mail with a link that sets a new password.'>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField name='email' label='Email' type='email' autocomplete='username' required maxLength={254} form={form} autofocus />
        <Button kind='primary' type='submit' busy={form.busy}>Send the mail</Button>
      </form>
      <a href={at('')}>Back to the sign-in</a>
    </NarrowPage>
  )
}

/** Sets a new password with the link of a mail. */
export function SetPassword ({ token }: { token: string }) {
  const [done, setDone] = useState(false)
  const form = useForm(async ({ new_password = '' }) => {
    await callOpen('post', 'auth/password-reset/confirm', { body: { token, new_password } })
    setDone(true)
  })
  if (done) {
    return (
      <NarrowPage title='Your password is set'>
        <Notice kind='good'>All your sessions have ended. Sign in with the new password.</Notice>
        <ButtonLink kind='primary' href={at('')}>Sign in</ButtonLink>
      </NarrowPage>
    )
  }
  return (
    <NarrowPage title='Set a new password' lead='All your sessions end.'>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <PasswordField
          name='new_password' label='New password' hint={PASSWORD_HINT} autocomplete='new-password' minLength={12} form={form} autofocus
        />
        <Button kind='primary' type='submit' busy={form.busy}>Set the password</Button>
      </form>
    </NarrowPage>
  )
}
