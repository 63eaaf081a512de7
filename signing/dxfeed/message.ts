import { assertPrintable } from '../printable.js'

/** The message of a widget token, taken apart. */
export interface WidgetMessage {
  /** The end user's id. */
  user: string
  /** The data filters; none means that the token itself narrows nothing. */
  filters: readonly string[]
}

/** What a widget token says. Both times are integers of one unit: milliseconds on the widget page, seconds in the token knowledge base. */
export interface WidgetTokenPayload {
  issuer: string
  session: string
  /** When the token ends. */
  expiration: number
  /** When the token was made. */
  issuedAt: number
  /** The user id and the filters, as `widgetMessage` makes it. */
  message: string
}

/**
 * The message of a widget token: the user id, then `,` and the filters joined by `;` (dxFeed, widget token page).
 * Throws a TypeError that names the field for an empty user or filter, for a `,` or `;` in either, and for control characters or lone surrogates.
 */
export function widgetMessage (user: string, filters: readonly string[] = []): string {
  assertPrintable('user', user, ',;')
  if (user === '') throw new TypeError('user: is required')
  for (const [at, filter] of filters.entries()) {
    // A `;` would make two filters of one.
    assertPrintable(`filters[${at}]`, filter, ',;')
    if (filter === '') throw new TypeError(`filters[${at}]: must not be empty`)
  }
  return filters.length === 0 ? user : `${user},${filters.join(';')}`
}

/** The inverse of `widgetMessage`, with the same errors: what comes out of it would go back in. */
export function parseWidgetMessage (message: string): WidgetMessage {
  assertPrintable('message', message)
  const comma = message.indexOf(',')
  const user = comma === -1 ? message : message.slice(0, comma)
  const filters = comma === -1 ? [] : message.slice(comma + 1).split(';')
  widgetMessage(user, filters)
  return { user, filters }
}
