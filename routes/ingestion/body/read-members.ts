import { INVALID_REQUEST } from '../../../lib/errors.js'
import { memberText } from '../../../lib/json/text.js'
import type { EventBody } from '../../../schemas/event.js'

const IDS = ['userId', 'anonymousId', 'groupId', 'previousId'] as const
const OBJECTS = ['properties', 'traits'] as const
const INTEGER = /^(?:0|-?[1-9]\d*)$/

/** Whether an event has an id that is a number. */
export function hasNumericId ({ userId, anonymousId, groupId, previousId }: Partial<EventBody>): boolean {
  return typeof userId === 'number' || typeof anonymousId === 'number' || typeof groupId === 'number' || typeof previousId === 'number'
}

/**
 * The members that replace ids which are numbers: each is the string of the digits that were sent, beyond 2^53 too. Throws `INVALID_REQUEST`
 * for a number in another spelling (`1.0`, `1e3`, `-0`), of which several strings could be meant.
 */
export function numericIds (value: Partial<EventBody>, text: string): string {
  let members = ''
  for (const name of IDS) {
    if (typeof value[name] !== 'number') continue
    const digits = memberText(text, name) ?? ''
    if (!INTEGER.test(digits)) throw new INVALID_REQUEST({ details: [{ path: `/${name}`, message: 'must be a string or an integer in plain digits' }] })
    members += `,"${name}":"${digits}"`
  }
  return members
}

/** The members that replace empty arrays where objects belong: PHP writes an empty map as one. */
export function emptyObjects (value: Partial<EventBody>): string {
  let members = ''
  for (const name of OBJECTS) if (Array.isArray(value[name])) members += `,"${name}":{}`
  return members
}
