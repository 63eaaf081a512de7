import { currentUrl } from './page-views'

declare const VERSION: string

/** What is known of the page and the browser; the server derives the rest, the campaign for instance. */
export function contextOf (referrer: string, hash: boolean): Record<string, unknown> {
  const { pathname, search } = location
  return {
    page: { url: currentUrl(hash), path: pathname, search, title: document.title, referrer },
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
    userAgent: navigator.userAgent,
    library: { name: 'd.js', version: VERSION }
  }
}
