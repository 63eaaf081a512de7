import { call } from '../../api/client.ts'
import { allowsPasskeys, provePasskey } from '../../api/passkeys.ts'
import { useForm } from '../../api/use-form.ts'
import { useQuery } from '../../api/use-query.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/field.tsx'
import { ErrorNotice, Loading } from '../../ui/states.tsx'

/** Asks for the second factor again, before an action that destroys or gives power. */
export function StepUp ({ onDone }: { onDone: () => void }) {
  const { data, error, reload } = useQuery('factors', (signal) => call('get', 'auth/mfa', { signal }))
  const code = useForm(async ({ code = '' }) => {
    await call('post', 'auth/mfa/step-up', { body: { code: code.trim() } })
    onDone()
  })
  const passkey = useForm(async () => {
    const { options, challenge_token } = await call('post', 'auth/mfa/step-up/options', {})
    const credential = await provePasskey(options)
    await call('post', 'auth/mfa/step-up', { body: { challenge_token, credential } })
    onDone()
  })
  if (data === undefined) return error === undefined ? <Loading /> : <ErrorNotice error={error} retry={reload} />
  return (
    <div class='stack'>
      <p class='soft'>This action needs your second factor. It is then valid for 5 minutes.</p>
      <ErrorNotice error={code.error ?? passkey.error} />
      {data.passkeys.length > 0 && allowsPasskeys()
        ? <form {...passkey.props}><Button type='submit' icon='key' busy={passkey.busy}>Use your passkey</Button></form>
        : null}
      <form {...code.props} class='stack'>
        <TextField
          name='code' label={data.totp === null ? 'Recovery code' : 'Code of your authenticator app, or a recovery code'}
          autocomplete='one-time-code' required maxLength={40} form={code} autofocus
        />
        <Button kind='primary' type='submit' busy={code.busy}>Confirm</Button>
      </form>
    </div>
  )
}
