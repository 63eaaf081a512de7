import type { Fields } from './identity'

/** Strings that JavaScript creates from missing values; they are never valid ids. */
const NOBODY = /^(?:\s*|undefined|null|NaN|\[object Object\])$/

export function isFields (value: unknown): value is Fields {
  return Object.prototype.toString.call(value) === '[object Object]'
}

/** Returns an id as a string. Throws for a value that is not a valid id, and for a number that has lost digits. */
export function idOf (value: unknown, name: string): string {
  const string = typeof value === 'number' && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER) ? '' : String(value)
  if (/^(?:string|number|bigint)$/.test(typeof value) && !NOBODY.test(string)) return string
  throw new TypeError(`${name} must be a non-empty string or a number up to 2^53: the call is ignored`)
}

/**
 * Returns `undefined` for `null` and for the empty array that PHP creates from an empty map. Throws for non-objects.
 */
export function fieldsOf (value: unknown, name: string): Fields | undefined {
  if (value == null || (Array.isArray(value) && value.length === 0)) return undefined
  if (isFields(value)) return value
  throw new TypeError(`${name} must be an object: the call is ignored`)
}
