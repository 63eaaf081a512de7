import { useEffect, useState } from 'preact/hooks'

import { AcceptInvitation } from './invitation.tsx'
import { ConfirmEmail } from './email.tsx'
import { RequestReset, SetPassword } from './reset.tsx'
import { SetUp } from './setup.tsx'

interface Link {
  task: string
  token: string
  email: string
}

/** The pages that links in mails open. Without a link: the request for a mail that sets a new password. */
export default function AccountPage () {
  const [link, setLink] = useState<Link | null>(takeLink)
  useEffect(() => {
    // A second link in the same tab changes only the fragment.
    const next = () => setLink((former) => takeLink() ?? former)
    globalThis.addEventListener('hashchange', next)
    return () => globalThis.removeEventListener('hashchange', next)
  }, [])
  const { task = '', token = '', email = '' } = link ?? {}
  switch (task) {
    case 'accept': return <AcceptInvitation key={token} token={token} />
    case 'reset': return <SetPassword key={token} token={token} />
    case 'setup': return <SetUp key={token} token={token} email={email} />
    case 'email': return <ConfirmEmail key={token} token={token} />
    default: return <RequestReset />
  }
}

/** Reads the task and the token from the fragment, and removes them from the address and the history. */
function takeLink (): Link | null {
  const [task = '', query = ''] = document.location.hash.slice(2).split('?')
  if (task === '') return null
  history.replaceState(null, '', document.location.pathname + document.location.search)
  const parameters = new URLSearchParams(query)
  return { task, token: parameters.get('token') ?? '', email: parameters.get('email') ?? '' }
}
