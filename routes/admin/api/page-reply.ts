import { INVALID_REQUEST } from '../../../lib/errors.js'
import type { Page } from '../../../contracts/token-store/index.js'
import type { PageReply } from '../../../schemas/page.js'

/** Returns the response body of a page, each item converted by `view`. */
export function pageReply<From, To> ({ data, nextCursor }: Page<From>, view: (item: From) => To): PageReply<To> {
  return { data: data.map(view), next_cursor: nextCursor, has_more: nextCursor !== null }
}

/** Returns an ISO-8601 time of a query or body in epoch milliseconds. Throws `INVALID_REQUEST`. */
export function timeOf (name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const time = Date.parse(text)
  // The schema's date-time format accepts a leap second, which Date.parse does not.
  if (Number.isNaN(time)) {
    throw new INVALID_REQUEST({ details: [{ path: `/${name}`, message: 'must be an ISO-8601 time' }] })
  }
  return time
}
