import { useState } from 'preact/hooks'

import { ErrorNotice } from '../../console/src/ui/states.tsx'
import { post } from './page.ts'
import type { PageData } from './page.ts'
import { Switch } from './switch.tsx'

/** Revokes the user of the page and lifts the revocation again. */
export function Revocation ({ page, onChange }: { page: PageData, onChange: () => void }) {
  const [revoked, setRevoked] = useState(page.revoked)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()

  async function change (on: boolean): Promise<void> {
    setBusy(true)
    setError(undefined)
    try {
      await post('/demo/attack', { attack: on ? 'revoke' : 'restore' })
      setRevoked(on)
      onChange()
    } catch (error) {
      setError(error as Error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <section class='card revocation' aria-label='Revocation'>
      <Switch on={revoked} busy={busy} onChange={change}>Revoked user</Switch>
      <p class='soft'>
        {revoked
          ? <>{page.user} is revoked, as an administrator does it in the console. No embed gets a new credential.</>
          : <>Revokes the embeds of {page.user} until you switch it off. The next request of each embed is refused.</>}
      </p>
      <ErrorNotice error={error} />
    </section>
  )
}
