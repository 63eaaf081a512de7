import { useState } from 'preact/hooks'

import { callOpen } from '../../api/client.ts'
import { useForm } from '../../api/use-form.ts'
import { useQuery } from '../../api/use-query.ts'
import { at } from '../../shell/paths.ts'
import { Button, ButtonLink } from '../../ui/button.tsx'
import { PasswordField, TextField } from '../../ui/field.tsx'
import { NarrowPage } from '../../ui/layout.tsx'
import { ErrorNotice, Loading, Notice } from '../../ui/states.tsx'
import { PASSWORD_HINT } from './reset.tsx'

/** Accepts an invitation: a new email sets its password, an existing account proves its own. */
export function AcceptInvitation ({ token }: { token: string }) {
  const { data, error } = useQuery(token, (signal) => callOpen('post', 'invitations/inspect', { body: { token }, signal }))
  const [done, setDone] = useState(false)
  const form = useForm(async ({ password = '' }) => {
    await callOpen('post', 'invitations/accept', { body: { token, password } })
    setDone(true)
  })
  if (data === undefined) {
    return <NarrowPage title='Invitation'>{error === undefined ? <Loading /> : <ErrorNotice error={error} />}</NarrowPage>
  }
  if (done) {
    return (
      <NarrowPage title='Welcome'>
        <Notice kind='good'>You are now a member of {data.organisation}. Sign in as {data.email}.</Notice>
        <ButtonLink kind='primary' href={at('')}>Sign in</ButtonLink>
      </NarrowPage>
    )
  }
  return (
    <NarrowPage title='Accept the invitation' lead={`You are invited to ${data.organisation} with the role ${data.role}.`}>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField name='email' label='Email' type='email' autocomplete='username' defaultValue={data.email} readOnly form={form} />
        {data.has_account
          ? <PasswordField name='password' label='Your password' autocomplete='current-password' form={form} autofocus />
          : <PasswordField name='password' label='New password' hint={PASSWORD_HINT} autocomplete='new-password' minLength={12} form={form} autofocus />}
        <Button kind='primary' type='submit' busy={form.busy}>Accept the invitation</Button>
      </form>
    </NarrowPage>
  )
}
