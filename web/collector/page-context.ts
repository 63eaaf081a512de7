import { ofDocument } from './of-document'

/** The `context.page` of an event. */
export interface PageContext {
  url: string
  path: string
  search: string
  title: string
  referrer: string
}

export function pageContext (referrer: string, hash: boolean): PageContext {
  const { pathname, search } = pageUrl()
  return { url: currentUrl(hash), path: pathname, search, title: ofDocument('title'), referrer }
}

/** Returns the URL without its fragment, unless `hash` is set: logins pass tokens to the page in the fragment. */
export function currentUrl (hash: boolean): string {
  const { href } = pageUrl()
  return hash ? href : href.split('#', 1)[0] ?? ''
}

/** Returns the path; with `hash`, including the path of a router in the fragment. */
export function currentPath (hash: boolean): string {
  const { pathname, hash: fragment } = pageUrl()
  return hash ? pathname + (fragment.split('?', 1)[0] ?? '') : pathname
}

/** Returns the URL of the page; a `srcdoc` frame has the URL of its parent page. */
function pageUrl (): URL | Location {
  return location.protocol === 'about:' && /^https?:/.test(document.baseURI) ? new URL(document.baseURI) : location
}
