import { useEffect, useState } from 'preact/hooks'

import { useLocation } from 'preact-iso'

import { callOpen } from '../../api/client.ts'
import { enter } from '../../api/session.ts'
import type { LoginReply, Tokens } from '../../api/session.ts'
import { HOME } from '../../api/transport.ts'
import { at } from '../../shell/paths.ts'
import { NarrowPage } from '../../ui/layout.tsx'
import { ErrorNotice, Loading } from '../../ui/states.tsx'
import { SignInSteps } from './steps.tsx'

/** The results of a login at an identity provider that failed. */
const FAILURES: Readonly<Record<string, string>> = {
  access_denied: 'You cancelled the sign-in, or your identity provider refused it.',
  expired: 'The sign-in took too long, or was finished before. Sign in again.',
  invalid_response: 'The response of your identity provider is not valid. Sign in again, or tell your administrator.',
  provider_unavailable: 'Your identity provider does not respond. Try again later.',
  email_not_verified: 'Your identity provider does not confirm your email address, or its domain is not proved here.',
  not_allowed: 'You have no access here. Ask your administrator.'
}

/** The sign-in. It stands at the URL of the page that needs it, and at `sign-in`, where identity providers return. */
export default function SignInPage () {
  const { route, path } = useLocation()
  const [{ code, failure, returnTo }] = useState(takeResult)
  const [error, setError] = useState<Error | undefined>(failure)
  const [begun, setBegun] = useState<LoginReply>()

  async function finish (tokens: Tokens) {
    await enter(tokens)
    if (path === at('sign-in')) route(returnTo, true)
  }

  async function exchange (code: string) {
    const reply = await callOpen('post', 'auth/sso/token', { body: { code } })
    if ('mfa_required' in reply) setBegun(reply)
    else await finish(reply)
  }

  useEffect(() => { if (code !== null) exchange(code).catch(setError) }, [])
  if (code !== null && begun === undefined && error === undefined) return <main class='narrow'><Loading /></main>
  return (
    <NarrowPage title='Sign in'>
      <ErrorNotice error={error} />
      <SignInSteps begun={begun} onTokens={finish} />
    </NarrowPage>
  )
}

/** Reads the result of a login at an identity provider from the fragment, and removes it from the history. */
function takeResult (): { code: string | null, failure: Error | undefined, returnTo: string } {
  const result = new URLSearchParams(document.location.hash.slice(1))
  const [code, failure, returnTo] = [result.get('sso'), result.get('sso_error'), result.get('return_to')]
  if (code !== null || failure !== null) history.replaceState(null, '', document.location.pathname + document.location.search)
  return {
    code,
    failure: failure === null ? undefined : new Error(FAILURES[failure] ?? 'The sign-in failed. Try again.'),
    // Only a page of the console: a link must not lead elsewhere after a sign-in.
    returnTo: returnTo?.startsWith(HOME) === true && returnTo !== at('sign-in') ? returnTo : at('')
  }
}
