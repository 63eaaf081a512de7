import { INVALID_REQUEST } from '../../../lib/errors.js'
import { memberJson } from '../../../lib/json/scan.js'
import type { EventBody } from '../../../schemas/event.js'

const IDS = ['userId', 'anonymousId', 'groupId', 'previousId'] as const
const OBJECTS = ['properties', 'traits'] as const
const INTEGER = /^(?:0|-?[1-9]\d*)$/

/** Returns whether an event has a numeric id. */
export function hasNumericId ({ userId, anonymousId, groupId, previousId }: Partial<EventBody>): boolean {
  return typeof userId === 'number' || typeof anonymousId === 'number' || typeof groupId === 'number' ||
    typeof previousId === 'number'
}

/**
 * Returns the members that replace numeric ids: each is a string of the digits as sent, also above 2^53. Throws
 * `INVALID_REQUEST` for another notation (`1.0`, `1e3`, `-0`), which has several possible strings.
 */
export function numericIdMembers (value: Partial<EventBody>, json: string): string {
  let members = ''
  for (const name of IDS) {
    if (typeof value[name] !== 'number') continue
    const digits = memberJson(json, name) ?? ''
    if (!INTEGER.test(digits)) {
      throw new INVALID_REQUEST({
        details: [{ path: `/${name}`, message: 'must be a string or an integer in plain digits' }]
      })
    }
    members += `,"${name}":"${digits}"`
  }
  return members
}

/** Returns the members that replace arrays where objects belong: PHP encodes an empty map as `[]`. */
export function emptyObjectMembers (value: Partial<EventBody>): string {
  let members = ''
  for (const name of OBJECTS) if (Array.isArray(value[name])) members += `,"${name}":{}`
  return members
}
