import { useState } from 'preact/hooks'

import { call } from '../../api/client.ts'
import type { Reply } from '../../api/paths.ts'
import { me } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { Section } from '../../ui/layout.tsx'
import { ErrorNotice } from '../../ui/states.tsx'
import { toast } from '../../ui/toast.tsx'

interface SettingsProps {
  organisation: Reply<'get', 'organisation'>
  onChanged: () => void
}

/** Renames the organisation. */
export function Name ({ organisation: { name: former }, onChanged }: SettingsProps) {
  const form = useForm(async ({ name = '' }) => {
    await call('patch', 'organisation', { body: { name } })
    const user = me.get()
    // The top bar shows it too.
    if (user !== null && user !== undefined) me.set({ ...user, org_name: name })
    toast(`The organisation is now named "${name}".`)
    onChanged()
  })
  return (
    <Section title='Name' lead='It is in the top bar and in the mails of invitations.'>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack slim'>
        <TextField name='name' label='Name' required maxLength={200} defaultValue={former} autocomplete='organization' form={form} />
        <div class='actions'><Button type='submit' busy={form.busy}>Rename</Button></div>
      </form>
    </Section>
  )
}

/** Requires a second factor of all members, or leaves it to them. */
export function SecondFactor ({ organisation: { mfa }, onChanged }: SettingsProps) {
  const [asking, setAsking] = useState(false)
  const isRequired = mfa === 'required'
  async function change () {
    await call('patch', 'organisation', { body: { mfa: isRequired ? 'optional' : 'required' } })
    toast(isRequired ? 'A second factor is now optional.' : 'A second factor is now required.')
    onChanged()
  }
  return (
    <Section
      title='Second factor'
      lead={isRequired
        ? 'Every member needs an authenticator app or a passkey.'
        : 'Each member decides. Anyone who learns the password of a member without a second factor can sign in.'}
      actions={<Button onClick={() => setAsking(true)}>{isRequired ? 'Make it optional…' : 'Require it…'}</Button>}
    >
      {asking
        ? isRequired
          ? (
            <Confirm title='Make the second factor optional?' action='Make it optional' run={change} onClose={() => setAsking(false)}>
              <p>Members may remove their second factors and then sign in with the password alone.</p>
            </Confirm>
            )
          : (
            <Confirm
              title='Require a second factor?' action='Require a second factor' kind='primary' run={change}
              onClose={() => setAsking(false)}
            >
              <p>
                A member without a second factor sets one up at the next sign-in. You need one yourself before you can
                require it.
              </p>
            </Confirm>
            )
        : null}
    </Section>
  )
}
