export interface PageViews {
  /** Where the visitor came from: another page of this one, if there was one. */
  referrer (): string
  /** Looks at once whether the URL is another, rather than in the next turn. */
  look (): void
}

/** Calls `view` for the page and for each navigation within it that changes the URL; the fragment counts with `hash` only. */
export function followPageViews (hash: boolean, view: () => void): PageViews {
  let seen: string | null = null
  let referrer = document.referrer

  function look (): void {
    // A page that is rendered ahead may never be looked at.
    if ((document as { prerendering?: boolean }).prerendering === true) return
    const url = currentUrl(hash)
    if (url === seen) return
    if (seen !== null) referrer = seen
    seen = url
    view()
  }

  // In the next turn: until then routers redirect, and set the title.
  function lookSoon (): void {
    setTimeout(look, 0)
  }

  for (const name of ['pushState', 'replaceState'] as const) {
    const original = history[name]
    history[name] = function (this: History, ...parameters: Parameters<History['pushState']>) {
      original.apply(this, parameters)
      lookSoon()
    }
  }
  addEventListener('popstate', lookSoon)
  addEventListener('hashchange', lookSoon)
  addEventListener('pageshow', ({ persisted }) => {
    if (!persisted) return
    seen = null
    look()
  })
  document.addEventListener('prerenderingchange', look)
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', look)

  return { referrer: () => referrer, look }
}

/** Without its fragment where that tells no page apart: what a login hands over there is for the page alone. */
export function currentUrl (hash: boolean): string {
  return hash ? location.href : location.href.split('#', 1)[0] ?? ''
}
