import { printableLine } from '../../signing/printable-line.js'
import { maskUrl } from '../http/masked-request-log.js'
import type { ErrorDetail } from '../errors.js'

/** Maximum number of characters of a client's string in a log line. */
const MAX_SHOWN = 200
const MAX_DETAILS = 5
/** A name that is as long as a key, with a digit as keys have. */
const LIKE_A_KEY = /(?=[\w+=.~-]*\d)([\w+=.~-]{4})[\w+=.~-]{20,}/g

/** Returns a reason as the log shows it: one line without control, format and bidirectional characters. */
export function shownReason (reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : printableLine(reason, 2 * MAX_SHOWN)
}

/**
 * Returns the name of a client's property for a log line. A name that may be a key is cut after 4 characters: a client
 * may send a key as `?key` instead of `?name=key`.
 *
 * @example
 * shownName('nmae')  // 'nmae'
 * shownName('dk_live_0123456789abcdef0123')  // 'dk_l***'
 */
export function shownName (name: string): string {
  return printableLine(name, MAX_SHOWN).replace(LIKE_A_KEY, '$1***')
}

/** Returns an `Origin` for a log line, without a user name, a password and values of a query. */
export function shownOrigin (origin: string): string {
  return printableLine(maskUrl(origin.slice(0, 2 * MAX_SHOWN)), MAX_SHOWN)
}

/** Returns the first invalid fields of a body or query for a log line. */
export function shownDetails (details: readonly ErrorDetail[] | undefined): ErrorDetail[] | undefined {
  return details?.slice(0, MAX_DETAILS).map(({ path, message }) => ({
    path: shownName(path),
    message: printableLine(message, MAX_SHOWN)
  }))
}
