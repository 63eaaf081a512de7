import { useEffect, useState } from 'preact/hooks'

import { callOpen } from '../../api/client.ts'
import { has } from '../../api/features.ts'
import { allowsPasskeys, provePasskey } from '../../api/passkeys.ts'
import type { Reply } from '../../api/paths.ts'
import type { LoginReply } from '../../api/session.ts'
import { useForm } from '../../api/use-form.ts'
import { at } from '../../shell/paths.ts'
import { Button } from '../../ui/button.tsx'
import { PasswordField, TextField } from '../../ui/field.tsx'
import { ErrorNotice, Notice } from '../../ui/states.tsx'

type Providers = Reply<'get', 'auth/sso'>

interface LoginFormProps {
  email?: string
  logIn: (credentials: { email: string, password: string }) => Promise<LoginReply>
  onReply: (reply: LoginReply) => Promise<unknown>
}

/** Email and password; a passkey or an identity provider where the server has them. */
export function LoginForm ({ email, logIn, onReply }: LoginFormProps) {
  const [address, setAddress] = useState(email ?? '')
  const { required, providers } = useProviders(address)
  const form = useForm(async ({ email: entered = '', password = '' }) =>
    await onReply(await logIn({ email: entered, password })))

  return (
    <div class='stack'>
      <ErrorNotice error={form.error} />
      <form {...form.props} class='stack'>
        <TextField
          name='email' label='Email' type='email' autocomplete='username' required maxLength={254} form={form}
          defaultValue={address} readOnly={email !== undefined} autofocus={email === undefined}
          onChange={({ currentTarget }) => setAddress((currentTarget as HTMLInputElement).value)}
        />
        {required
          ? <Notice>Passwords do not work for your domain. Continue with your identity provider.</Notice>
          : (
            <>
              <PasswordField name='password' label='Password' autocomplete='current-password' form={form} autofocus={email !== undefined} />
              <Button kind='primary' type='submit' busy={form.busy}>Sign in</Button>
            </>
            )}
      </form>
      <Alternatives providers={providers} email={address} onReply={onReply} />
      {has('users') && email === undefined ? <a href={at('account')}>Forgot your password?</a> : null}
      {globalThis.isSecureContext
        ? null
        : <Notice kind='warning'>This page is not on HTTPS, so you have to sign in again after each reload.</Notice>}
    </div>
  )
}

interface AlternativesProps {
  providers: Providers['providers']
  email: string
  onReply: LoginFormProps['onReply']
}

function Alternatives ({ providers, email, onReply }: AlternativesProps) {
  const passkeys = has('passkeys') && allowsPasskeys()
  const form = useForm(async () => {
    const { options, challenge_token } = await callOpen('post', 'auth/passkey/options', {})
    const credential = await provePasskey(options)
    await onReply(await callOpen('post', 'auth/passkey/login', { body: { challenge_token, credential } }))
  })
  if (!passkeys && providers.length === 0) return null
  return (
    <>
      <p class='divider'><span>or</span></p>
      <ErrorNotice error={form.error} />
      {providers.map(({ id, name, start_url: start }) => (
        <a key={id} class='button secondary' href={startOf(start, email)}>Continue with {name}</a>
      ))}
      {passkeys
        ? (
          <form {...form.props}>
            <Button type='submit' icon='key' busy={form.busy}>Sign in with a passkey</Button>
          </form>
          )
        : null}
    </>
  )
}

/** The login at the provider returns to the current page. */
function startOf (start: string, email: string): string {
  const url = new URL(start, document.location.href)
  url.searchParams.set('return_to', document.location.pathname + document.location.search)
  if (email !== '') url.searchParams.set('login_hint', email)
  return url.href
}

/** The identity providers of an email; without one, those of the whole server. */
function useProviders (email: string): Providers {
  const [found, setFound] = useState<Providers>({ required: false, providers: [] })
  useEffect(() => {
    if (!has('sso')) return
    let current = true
    const load = async () => {
      const query = email === '' ? {} : { email }
      const [ofEmail, ofServer] = [await callOpen('get', 'auth/sso', { query }), await callOpen('get', 'auth/sso', {})]
      const known = new Set(ofEmail.providers.map(({ id }) => id))
      if (!current) return
      setFound({
        required: ofEmail.required,
        providers: [
          ...ofEmail.providers,
          ...ofEmail.required ? [] : ofServer.providers.filter(({ id }) => !known.has(id))
        ]
      })
    }
    // Without the list the password still works.
    load().catch(() => {})
    return () => { current = false }
  }, [email])
  return found
}
