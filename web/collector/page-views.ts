import { ofDocument } from './of-document'
import { currentPath, currentUrl, pageContext } from './page-context'
import type { PageContext } from './page-context'
import type { Settings } from './settings'

export interface PageViews {
  /** Records the view of the page itself. */
  begin (): void
  /** Returns the previous page: the previous view within this page, or the document's referrer. */
  referrer (): string
  /** Completes the page view that waits for its title. */
  flush (): void
}

/** Milliseconds after the next frame in which a page may set its title; many routers set it some time after the URL. */
const SETTLE = 300
/** Milliseconds; hidden pages and hidden frames get no animation frames. */
const NO_FRAME = 1_000

interface Pending {
  page: PageContext
  complete (page: PageContext): void
}

/**
 * Calls `view` for the page and for each navigation within it that changes its path; with `pageViews: 'url'` also its
 * query, and with `hash` its fragment. What `view` returns is called when the title has had time to change.
 */
export function followPageViews (
  { hash, pageViews }: Pick<Settings, 'hash' | 'pageViews'>, view: (page: PageContext) => (page: PageContext) => void
): PageViews {
  let reported: string | null = null
  let url = ''
  let referrer = ofDocument('referrer')
  let pending: Pending | null = null
  let timer: number | undefined
  let frame = 0

  /** `title` is the title of the previous page view. */
  function note (title: string): void {
    // A prerendered page may never be shown.
    if ((document as { prerendering?: boolean }).prerendering === true) return
    const key = pageViews === 'url' ? currentUrl(hash) : currentPath(hash)
    if (key !== reported) {
      complete(title)
      if (reported !== null) referrer = url
      reported = key
      const page = pageContext(referrer, hash)
      pending = { page, complete: view(page) }
      completeLater()
    }
    url = currentUrl(hash)
  }

  /** Runs in the next task, because routers may redirect before it. */
  function noteSoon (title = ofDocument('title')): void {
    setTimeout(() => note(title), 0)
  }

  function completeLater (): void {
    stop()
    timer = setTimeout(() => complete(ofDocument('title')), NO_FRAME)
    frame = requestAnimationFrame(() => {
      clearTimeout(timer)
      timer = setTimeout(() => complete(ofDocument('title')), SETTLE)
    })
  }

  function stop (): void {
    clearTimeout(timer)
    cancelAnimationFrame(frame)
  }

  function complete (title: string): void {
    if (pending === null) return
    stop()
    const { page, complete } = pending
    pending = null
    complete({ ...page, title })
  }

  function begin (): void {
    note(ofDocument('title'))
  }

  function flush (): void {
    begin()
    complete(ofDocument('title'))
  }

  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name]
    history[name] = function (this: History, ...parameters: Parameters<History['pushState']>) {
      const title = ofDocument('title')
      original.apply(this, parameters)
      noteSoon(title)
    }
  }
  addEventListener('popstate', () => noteSoon())
  addEventListener('hashchange', () => noteSoon())
  addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return
    reported = null
    flush()
  })
  document.addEventListener('prerenderingchange', begin)
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin)

  return { begin, referrer: () => referrer, flush }
}
