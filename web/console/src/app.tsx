import { useEffect, useState } from 'preact/hooks'

import { ErrorBoundary, LocationProvider, lazy, useLocation } from 'preact-iso'

import { me, resume } from './api/session.ts'
import { useStore } from './api/store.ts'
import { HOME } from './api/transport.ts'
import { Shell } from './shell/shell.tsx'
import { at } from './shell/paths.ts'
import { Toasts } from './ui/toast.tsx'
import { NarrowPage } from './ui/layout.tsx'
import { ErrorNotice, Loading } from './ui/states.tsx'

const SignIn = lazy(() => import('./pages/sign-in/page.tsx'))
const Account = lazy(() => import('./pages/account/index.tsx'))

export function App () {
  return (
    <LocationProvider scope={HOME}>
      <ErrorBoundary>
        <Start />
      </ErrorBoundary>
      <Toasts />
    </LocationProvider>
  )
}

/** Chooses between the pages that need no session and the others. */
function Start () {
  const { path } = useLocation()
  // What links in mails open.
  if (path === at('account')) return <Account />
  // Where identity providers return.
  if (path === at('sign-in')) return <SignIn />
  return <Signed />
}

/** The pages of a signed-in user. Without a session the sign-in is in their place, so that a deep link stays. */
function Signed () {
  const user = useStore(me)
  const [error, setError] = useState<Error>()
  const start = () => {
    setError(undefined)
    resume().catch(setError)
  }
  useEffect(() => { if (me.get() === undefined) start() }, [])
  if (error !== undefined) return <NarrowPage title='Not connected'><ErrorNotice error={error} retry={start} /></NarrowPage>
  if (user === undefined) return <main class='narrow'><Loading /></main>
  if (user === null) return <SignInHere />
  // Another user or organisation starts with fresh pages.
  return <Shell key={`${user.id} ${user.org_id}`} user={user} />
}

function SignInHere () {
  const { url } = useLocation()
  return <SignIn key={url} />
}
