import type { PageContext } from './page-context'

declare const VERSION: string

/** Returns the context of the page and the browser. The server adds the rest, such as the campaign. */
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
