import type { PageContext } from './page-context'

declare const VERSION: string

/** What is known of the page and the browser; the server derives the rest, the campaign for instance. */
export function contextOf (page: PageContext): Record<string, unknown> {
  return {
    page,
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
    userAgent: navigator.userAgent,
    library: { name: 'd.js', version: VERSION }
  }
}
