import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

const PRODUCT = document.title

interface PageProps {
  title: string
  /** What the page is for, in a sentence. */
  lead?: ComponentChildren
  /** Buttons of the whole page. */
  actions?: ComponentChildren
  children: ComponentChildren
}

/** A page: its title is also that of the tab. */
export function Page ({ title, lead, actions, children }: PageProps) {
  useLayoutEffect(() => { document.title = `${title} · ${PRODUCT}` }, [title])
  return (
    <div class='page'>
      <header class='page-head'>
        <div>
          <h1 tabIndex={-1}>{title}</h1>
          {lead === undefined ? null : <p class='soft'>{lead}</p>}
        </div>
        {actions === undefined ? null : <div class='actions'>{actions}</div>}
      </header>
      {children}
    </div>
  )
}

/** Moves the focus to the title of the page when another part of the page replaces the one with the focus. */
export function useTitleFocus (part: string): void {
  const former = useRef(part)
  useLayoutEffect(() => {
    if (former.current === part) return
    former.current = part
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true })
  }, [part])
}

/** A part of a page with a title. */
export function Section (
  { title, lead, actions, children }:
  { title: string, lead?: ComponentChildren, actions?: ComponentChildren, children: ComponentChildren }
) {
  return (
    <section class='card'>
      <header class='card-head'>
        <div>
          <h2>{title}</h2>
          {lead === undefined ? null : <p class='soft'>{lead}</p>}
        </div>
        {actions === undefined ? null : <div class='actions'>{actions}</div>}
      </header>
      <div class='stack'>{children}</div>
    </section>
  )
}

/** A page without navigation: a sign-in, an invitation. */
export function NarrowPage ({ title, lead, children }: Omit<PageProps, 'actions'>) {
  useLayoutEffect(() => { document.title = `${title} · ${PRODUCT}` }, [title])
  return (
    <main class='narrow'>
      <div class='card'>
        <p class='brand'>{PRODUCT}</p>
        <h1>{title}</h1>
        {lead === undefined ? null : <p class='soft'>{lead}</p>}
        <div class='stack'>{children}</div>
      </div>
    </main>
  )
}

type Tone = 'good' | 'bad' | 'warning' | 'accent' | 'neutral'

/** A state in a word. The word says it; the colour only helps. */
export function Badge ({ tone = 'neutral', children }: { tone?: Tone, children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>
}

/** Names and values of one thing. */
export function Facts ({ items }: { items: ReadonlyArray<readonly [string, ComponentChildren]> }) {
  return (
    <dl class='facts'>
      {items.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  )
}
