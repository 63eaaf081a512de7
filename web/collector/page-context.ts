import { ofDocument } from './of-document'

/** `context.page` of an event. */
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

/** Without the fragment, unless it tells pages apart: a login hands over tokens in it that are for the page alone. */
export function currentUrl (hash: boolean): string {
  const { href } = pageUrl()
  return hash ? href : href.split('#', 1)[0] ?? ''
}

/** The path; with `hash` also that of a router in the fragment. */
export function currentPath (hash: boolean): string {
  const { pathname, hash: fragment } = pageUrl()
  return hash ? pathname + (fragment.split('?', 1)[0] ?? '') : pathname
}

/** A frame with a document of its own text (`srcdoc`) counts as the page that it is in. */
function pageUrl (): URL | Location {
  return location.protocol === 'about:' && /^https?:/.test(document.baseURI) ? new URL(document.baseURI) : location
}
