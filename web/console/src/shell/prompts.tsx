import { useStore } from '../api/store.ts'
import { prompts } from '../api/prompts.ts'
import type { Prompt } from '../api/prompts.ts'
import { enter, me } from '../api/session.ts'
import type { Me } from '../api/session.ts'
import { SignInSteps } from '../pages/sign-in/steps.tsx'
import { StepUp } from '../pages/sign-in/step-up.tsx'
import { Dialog } from '../ui/dialog.tsx'

/** The questions that requests ask on top of the page. The page below keeps what was entered. */
export function Prompts ({ user }: { user: Me }) {
  return <>{useStore(prompts).map((open) => <Question key={open.kind} open={open} user={user} />)}</>
}

function Question ({ open, user }: { open: Prompt, user: Me }) {
  if (open.kind === 'second-factor') {
    return (
      <Dialog title='Confirm that it is you' onClose={() => open.answer(null)}>
        <StepUp onDone={() => open.answer(true)} />
      </Dialog>
    )
  }
  const leave = () => {
    open.answer(null)
    me.set(null)
  }
  return (
    <Dialog title='Your session has ended' onClose={leave}>
      <p class='soft'>Sign in again to continue. What you have entered is still there.</p>
      <SignInSteps
        email={user.email} organisation={user.org_id}
        onTokens={async (tokens) => {
          const next = await enter(tokens)
          // The request of one user must not continue as another.
          open.answer(next.id === user.id && next.org_id === user.org_id ? tokens.access_token : null)
        }}
      />
    </Dialog>
  )
}
