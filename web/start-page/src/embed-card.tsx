import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

import { Badge } from '../../console/src/ui/layout.tsx'
import { throughProxy } from './embeds.ts'
import { Refused } from './page.ts'
import type { PageData } from './page.ts'
import type { Product } from './products.ts'
import { Switch } from './switch.tsx'
import { Timeline } from './timeline-list.tsx'
import { expectCalls, newestCall } from './timeline.ts'

type State = 'loading' | 'loaded' | 'refused' | 'off' | 'live' | 'nobody'

const TONES = { loading: 'neutral', loaded: 'good', refused: 'bad', off: 'neutral', live: 'good', nobody: 'neutral' } as const
const REMARKS: Partial<Record<State, string>> = {
  off: 'This product is disabled.',
  live: 'The real product is configured. Embed it in your own page.',
  nobody: 'Set EMBED_USER to see it here.'
}

/** An embed beside its requests, with the attacks on it. */
export function EmbedCard ({ product, page, round }: { product: Product, page: PageData, round: number }) {
  const place = useRef<HTMLDivElement>(null)
  const [attack, setAttack] = useState<string | null>(null)
  const [state, setState] = useState<State>(idleState(product, page) ?? 'loading')
  const [error, setError] = useState<Error>()
  /** The newest call before the embed was loaded: the timeline shows the later ones. */
  const [since, setSince] = useState(0)
  const isIdle = idleState(product, page) !== null

  // Before the next paint, which does not show the former state.
  useLayoutEffect(() => {
    if (isIdle) return
    const stop = new AbortController()
    run(stop.signal)
    return () => stop.abort()
  }, [attack, round])

  async function run (signal: AbortSignal): Promise<void> {
    const element = place.current
    if (element === null) return
    setState('loading')
    setError(undefined)
    element.replaceChildren()
    if (page.trace !== null) {
      const newest = await newestCall()
      if (signal.aborted) return
      setSince(newest)
      expectCalls()
    }
    const refuse = (error: Error): void => {
      if (signal.aborted) return
      setError(error)
      setState('refused')
    }
    const onLoaded = (): void => { if (!signal.aborted) setState('loaded') }
    await product.show({ element, page, attack, signal, onLoaded, onRefused: refuse }).catch(refuse)
  }

  const current = product.attacks.find(({ name }) => name === attack)
  return (
    <section class='card embed' id={product.name} aria-labelledby={`${product.name}-title`}>
      <header class='embed-head'>
        <div>
          <h2 id={`${product.name}-title`}>{product.title}</h2>
          <p class='soft'>{product.works}</p>
        </div>
        <span class={`state ${TONES[state]}`} role='status'><Badge tone={TONES[state]}>{state}</Badge></span>
      </header>
      {page.attacks && !isIdle && (
        <div class='switches' role='group' aria-label={`Attacks on ${product.title}`}>
          <span class='soft'>Break it:</span>
          {product.attacks.map(({ name, title }) => (
            <Switch key={name} on={attack === name} onChange={(on) => setAttack(on ? name : null)}>{title}</Switch>
          ))}
        </div>
      )}
      {current !== undefined && <p class='attack'>{current.does}</p>}
      <div class='panes'>
        <div class='pane'>
          <div class='frame' ref={place} hidden={isIdle} />
          {state in REMARKS && <p class='remark'>{REMARKS[state]}</p>}
          {error !== undefined && <Refusal error={error} />}
        </div>
        <div class='pane calls-pane'>
          <Timeline topic={product.name} since={since} hasSession={page.trace !== null} idle={isIdle} />
        </div>
      </div>
      {product.name === 'databrain' && page.databrain?.proxy != null && <Proxied page={page} />}
    </section>
  )
}

function idleState ({ name }: Product, page: PageData): State | null {
  const product = page[name]
  if (product === null) return 'off'
  if (product.mockOrigin === null) return 'live'
  return page.user === null ? 'nobody' : null
}

/** What the embed's place shows instead of the embed. */
function Refusal ({ error }: { error: Error }) {
  const { status, code } = error instanceof Refused ? error : { status: null, code: null }
  return (
    <div class='refusal' role='alert'>
      <strong>Refused{status === null ? '' : `: ${status}`} {code !== null && <code>{code}</code>}</strong>
      <p>{error.message}</p>
    </div>
  )
}

/** The result of a call through the proxy, which the newer component uses. */
function Proxied ({ page }: { page: PageData }) {
  const [result, setResult] = useState('')
  useEffect(() => { throughProxy(page).catch((error: Error) => error.message).then(setResult) }, [])
  return (
    <p id='proxied' class='soft footnote'>
      The newer component calls DataBrain through <code>/api/databrain/proxy/*</code>. The page’s session identifies the
      user, and the page never receives a token. {result !== '' && <>Response: <b>{result}</b></>}
    </p>
  )
}
