import { useEffect, useState } from 'preact/hooks'

import { ErrorNotice, Loading } from '../../console/src/ui/states.tsx'
import { EmbedCard } from './embed-card.tsx'
import { forgetCsrfToken } from './embeds.ts'
import { Events } from './events.tsx'
import { Header } from './header.tsx'
import { Keys } from './keys.tsx'
import { loadPage, post } from './page.ts'
import type { PageData } from './page.ts'
import { PRODUCTS } from './products.ts'
import { Revocation } from './revocation.tsx'
import { startTimeline, stopTimeline } from './timeline.ts'

export function Start () {
  const [page, setPage] = useState<PageData>()
  const [error, setError] = useState<Error>()
  /** Counts changes after which all embeds are loaded again. */
  const [round, setRound] = useState(0)

  async function load (): Promise<void> {
    try {
      await stopTimeline()
      const loaded = await loadPage()
      if (loaded.trace !== null) startTimeline()
      setError(undefined)
      setPage(loaded)
    } catch (error) {
      setError(error as Error)
    }
  }

  async function choose (user: string): Promise<void> {
    try {
      await stopTimeline()
      await post('/demo/session', { user })
      forgetCsrfToken()
      await load()
    } catch (error) {
      setError(error as Error)
    }
  }

  useEffect(() => { load() }, [])

  if (page === undefined) {
    return <main class='start'><ErrorNotice error={error} retry={load} />{error === undefined && <Loading />}</main>
  }
  return (
    <div class='start'>
      <Header page={page} choose={choose} />
      <main>
        <ErrorNotice error={error} />
        {page.attacks && <Revocation key={page.trace} page={page} onChange={() => setRound(round + 1)} />}
        {PRODUCTS.map((product) => (
          <EmbedCard key={`${product.name} ${page.trace} ${page.user}`} product={product} page={page} round={round} />
        ))}
        <Events key={page.trace} page={page} />
        <Keys page={page} />
      </main>
    </div>
  )
}
