import { callOpen } from '../../api/client.ts'
import { allowsPasskeys, provePasskey } from '../../api/passkeys.ts'
import type { Tokens } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/states.tsx'

interface SecondFactorProps {
  token: string
  methods: readonly string[]
  onTokens: (tokens: Tokens) => Promise<unknown>
  onBack: () => void
}

/** The second factor of a login: a passkey, a code of the app or a recovery code. */
export function SecondFactor ({ token, methods, onTokens, onBack }: SecondFactorProps) {
  const code = useForm(async ({ code = '' }) =>
    await onTokens(await callOpen('post', 'auth/mfa/verify', { body: { mfa_token: token, code: code.trim() } })))
  const passkey = useForm(async () => {
    const { options, challenge_token } = await callOpen('post', 'auth/mfa/passkey/options', { body: { mfa_token: token } })
    const credential = await provePasskey(options)
    await onTokens(await callOpen('post', 'auth/mfa/passkey/verify', { body: { mfa_token: token, challenge_token, credential } }))
  })
  return (
    <div class='stack'>
      <ErrorNotice error={code.error ?? passkey.error} />
      {methods.includes('passkey') && allowsPasskeys()
        ? <form {...passkey.props}><Button type='submit' icon='key' busy={passkey.busy}>Use your passkey</Button></form>
        : null}
      <form {...code.props} class='stack'>
        <TextField
          name='code' label={methods.includes('totp') ? 'Code of your authenticator app, or a recovery code' : 'Recovery code'}
          autocomplete='one-time-code' required maxLength={40} form={code} autofocus
        />
        <Button kind='primary' type='submit' busy={code.busy}>Verify</Button>
      </form>
      <Button kind='ghost' onClick={onBack}>Sign in as someone else</Button>
    </div>
  )
}
