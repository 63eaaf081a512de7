import { useState } from 'preact/hooks'

import { callOpen } from '../../api/client.ts'
import type { LoginReply, Tokens } from '../../api/session.ts'
import { SecretOnce } from '../../ui/copy.tsx'
import { EnrolFactor } from './enrol.tsx'
import { LoginForm } from './login-form.tsx'
import { SecondFactor } from './second-factor.tsx'

export interface StepsProps {
  /** The user who signs in again; `undefined`: the user enters the email. */
  email?: string
  /** The organisation to enter. Default: the latest one. */
  organisation?: string
  /** The response of a login that began elsewhere: at an identity provider. */
  begun?: LoginReply | undefined
  onTokens: (tokens: Tokens) => Promise<unknown>
}

type Challenge = Extract<LoginReply, { mfa_required: true }>

/** A sign-in: a password, a passkey or an identity provider, then the second factor if the account needs one. */
export function SignInSteps ({ email, organisation, begun, onTokens }: StepsProps) {
  const [challenge, setChallenge] = useState(begun !== undefined && isChallenge(begun) ? begun : undefined)
  const [enrolled, setEnrolled] = useState<{ codes: readonly string[], tokens: Tokens }>()

  async function proceed (reply: LoginReply) {
    if (isChallenge(reply)) setChallenge(reply)
    else await onTokens(reply)
  }

  if (enrolled !== undefined) {
    const done = () => { onTokens(enrolled.tokens).catch(() => {}) }
    return <SecretOnce what='recovery codes' values={enrolled.codes} onDone={done} />
  }
  if (challenge === undefined) {
    return (
      <LoginForm
        {...email === undefined ? {} : { email }} onReply={proceed}
        logIn={async (credentials) => await callOpen('post', 'auth/login', {
          body: { ...credentials, ...organisation === undefined ? {} : { org_id: organisation } }
        })}
      />
    )
  }
  if (challenge.enrolment_required === true) {
    return <EnrolFactor token={challenge.mfa_token} onEnrolled={(codes, tokens) => setEnrolled({ codes, tokens })} />
  }
  const { mfa_token: token, methods } = challenge
  return <SecondFactor {...{ token, methods, onTokens }} onBack={() => setChallenge(undefined)} />
}

function isChallenge (reply: LoginReply): reply is Challenge {
  return 'mfa_required' in reply
}
