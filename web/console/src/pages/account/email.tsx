import { useState } from 'preact/hooks'

import { callOpen } from '../../api/client.ts'
import { useForm } from '../../api/use-form.ts'
import { at } from '../../shell/paths.ts'
import { Button, ButtonLink } from '../../ui/button.tsx'
import { NarrowPage } from '../../ui/layout.tsx'
import { ErrorNotice, Notice } from '../../ui/states.tsx'

/** Confirms one of the two mails of a change of the email address. */
export function ConfirmEmail ({ token }: { token: string }) {
  const [status, setStatus] = useState<'waiting' | 'changed'>()
  const form = useForm(async () => {
    const reply = await callOpen('post', 'auth/email/confirm', { body: { token } })
    setStatus(reply.status)
  })
  if (status !== undefined) {
    return (
      <NarrowPage title='Confirmed'>
        <Notice kind='good'>
          {status === 'changed' ? 'Your email address has changed.' : 'Now open the link in the other mailbox.'}
        </Notice>
        {status === 'changed' ? <ButtonLink href={at('')}>To the console</ButtonLink> : null}
      </NarrowPage>
    )
  }
  return (
    <NarrowPage title='Confirm your new email address' lead='The address changes when both addresses have confirmed it.'>
      <ErrorNotice error={form.error} />
      <form {...form.props}><Button kind='primary' type='submit' busy={form.busy}>Confirm</Button></form>
    </NarrowPage>
  )
}
