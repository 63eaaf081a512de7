import { assertPrintable } from '../printable.js'

/** The parsed message of a widget token. */
export interface WidgetMessage {
  /** The end user's id. */
  user: string
  /** The data filters. An empty list means that the token itself restricts no data. */
  filters: readonly string[]
}

/**
 * The payload of a widget token. Both times are integers in one unit: milliseconds on dxFeed's widget page, seconds in
 * dxFeed's token knowledge base.
 */
export interface WidgetTokenPayload {
  issuer: string
  session: string
  /** When the token expires. */
  expiration: number
  /** When the token was created. */
  issuedAt: number
  /** The user id and the filters, in the form that `widgetMessage` returns. */
  message: string
}

/**
 * Returns the message of a widget token: the user id, then `,` and the filters joined by `;` (dxFeed documentation,
 * widget token). Throws a TypeError that names the field if the user or a filter is empty or contains `,`, `;`, a
 * control character or a lone surrogate.
 *
 * @example
 * widgetMessage('user-1', ['NYSE', 'NASDAQ']) // 'user-1,NYSE;NASDAQ'
 */
export function widgetMessage (user: string, filters: readonly string[] = []): string {
  assertPrintable('user', user, ',;')
  if (user === '') throw new TypeError('user: is required')
  for (const [at, filter] of filters.entries()) {
    // A `;` would split one filter into two.
    assertPrintable(`filters[${at}]`, filter, ',;')
    if (filter === '') throw new TypeError(`filters[${at}]: must not be empty`)
  }
  return filters.length === 0 ? user : `${user},${filters.join(';')}`
}

/** Parses a message that `widgetMessage` created. Throws the same errors as `widgetMessage`. */
export function parseWidgetMessage (message: string): WidgetMessage {
  assertPrintable('message', message)
  const comma = message.indexOf(',')
  const user = comma === -1 ? message : message.slice(0, comma)
  const filters = comma === -1 ? [] : message.slice(comma + 1).split(';')
  widgetMessage(user, filters)
  return { user, filters }
}
