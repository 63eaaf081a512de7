import { useState } from 'preact/hooks'

import { callOpen } from '../../api/client.ts'
import { has } from '../../api/features.ts'
import { allowsPasskeys, createPasskey } from '../../api/passkeys.ts'
import type { Tokens } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorNotice, Notice } from '../../ui/states.tsx'
import { TotpSetUp } from './totp.tsx'
import type { TotpSecret } from './totp.tsx'

interface EnrolProps {
  token: string
  onEnrolled: (codes: readonly string[], tokens: Tokens) => void
}

/** The set-up of a second factor during a login, where the organisation requires one. */
export function EnrolFactor ({ token, onEnrolled }: EnrolProps) {
  const [secret, setSecret] = useState<TotpSecret>()
  const app = useForm(async () => setSecret(await callOpen('post', 'auth/mfa/enrol/totp', { body: { mfa_token: token } })))
  const passkey = useForm(async () => {
    const { options, challenge_token } = await callOpen('post', 'auth/mfa/enrol/passkeys/options', { body: { mfa_token: token } })
    const credential = await createPasskey(options)
    const body = { mfa_token: token, challenge_token, name: 'Passkey', credential }
    const { recovery_codes: codes, tokens } = await callOpen('post', 'auth/mfa/enrol/passkeys', { body })
    onEnrolled(codes, tokens)
  })
  if (secret !== undefined) {
    return (
      <TotpSetUp
        secret={secret}
        confirm={async (code) => {
          const body = { mfa_token: token, code }
          const { recovery_codes: codes, tokens } = await callOpen('post', 'auth/mfa/enrol/totp/confirm', { body })
          onEnrolled(codes, tokens)
        }}
      />
    )
  }
  return (
    <div class='stack'>
      <Notice>Your organisation requires a second factor. Set one up to sign in.</Notice>
      <ErrorNotice error={app.error ?? passkey.error} />
      <form {...app.props}><Button kind='primary' type='submit' busy={app.busy}>Use an authenticator app</Button></form>
      {has('passkeys') && allowsPasskeys()
        ? <form {...passkey.props}><Button type='submit' icon='key' busy={passkey.busy}>Use a passkey</Button></form>
        : null}
    </div>
  )
}
