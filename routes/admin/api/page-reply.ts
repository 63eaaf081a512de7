import { INVALID_REQUEST } from '../../../lib/errors.js'
import type { Page } from '../../../contracts/token-store/index.js'
import type { PageReply } from '../../../schemas/page.js'

export function pageReply<From, To> ({ data, nextCursor }: Page<From>, view: (item: From) => To): PageReply<To> {
  return { data: data.map(view), next_cursor: nextCursor, has_more: nextCursor !== null }
}

/** A time of a query string in epoch milliseconds. */
export function timeOf (name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = Date.parse(text)
  // The schema's date-time lets a leap second through, which a Date can't hold.
  if (Number.isNaN(time)) throw new INVALID_REQUEST({ details: [{ path: `/${name}`, message: 'must be an ISO-8601 time' }] })
  return time
}
