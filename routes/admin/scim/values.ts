import { canonicalName } from './attributes.js'
import type { Attribute, AttributeTable } from './attributes.js'
import { invalid } from './errors.js'

/** A JSON object with attributes. */
export type Attributes = Record<string, unknown>

const MAX_STRING = 1_024
/** Maximum number of values of a list. */
export const MAX_VALUES = 50
/** Control characters other than those of lines, and lone surrogates. */
const UNPRINTABLE = /(?![\t\n\r])[\p{Cc}\p{Cs}]/u

export function isObject (value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Returns the known attributes of an object under their canonical names, in the order of the table. Unknown attributes
 * and attributes without a value are left out. Throws `invalidValue` for a value of another type, and for a name that
 * occurs twice.
 */
export function readAttributes (input: Attributes, table: AttributeTable): Attributes {
  const given = new Map<string, unknown>()
  for (const [key, value] of Object.entries(input)) {
    const name = canonicalName(table, key)
    if (name === undefined) continue
    if (given.has(name)) throw invalid('invalidSyntax', `The attribute ${name} occurs twice`)
    given.set(name, value)
  }
  const found: Attributes = {}
  for (const [name, attribute] of Object.entries(table)) {
    const value = readValue(given.get(name), attribute, name)
    if (value !== undefined) found[name] = value
  }
  return found
}

/** Returns a valid value, or `undefined` for no value. */
function readValue (value: unknown, attribute: Attribute, name: string): unknown {
  if (value === undefined || value === null || value === '') return undefined
  if (attribute.multiValued !== true) return readSingle(value, attribute, name)
  const values = Array.isArray(value) ? value as unknown[] : [value]
  if (values.length > MAX_VALUES) throw invalid('invalidValue', `${name} has more than ${MAX_VALUES} values`)
  const read = values.map((each) => readSingle(each, attribute, name)).filter((each) => each !== undefined)
  return read.length === 0 ? undefined : withOnePrimary(read)
}

function readSingle (value: unknown, { type, sub = {} }: Attribute, name: string): unknown {
  if (type === 'boolean') return readBoolean(value, name)
  if (type !== 'complex') return readString(value, name)
  // Entra ID sends the id of the manager as a string.
  const object = typeof value === 'string' && 'value' in sub ? { value } : value
  if (!isObject(object)) throw invalid('invalidValue', `${name} must be an object`)
  const found = readAttributes(object, sub)
  return Object.keys(found).length === 0 ? undefined : found
}

/** Returns a boolean, which Entra ID also sends as `"True"` or `"False"`. */
export function readBoolean (value: unknown, name: string): boolean {
  const lower = typeof value === 'string' ? value.toLowerCase() : value
  if (lower === true || lower === 'true') return true
  if (lower === false || lower === 'false') return false
  throw invalid('invalidValue', `${name} must be true or false`)
}

function readString (value: unknown, name: string): string {
  if (typeof value !== 'string') throw invalid('invalidValue', `${name} must be a string`)
  if (value.length > MAX_STRING) throw invalid('invalidValue', `${name} is longer than ${MAX_STRING} characters`)
  if (UNPRINTABLE.test(value)) throw invalid('invalidValue', `${name} contains a control character`)
  return value
}

/** Keeps `primary` of the last primary value only: a new primary value replaces the previous one. */
function withOnePrimary (values: unknown[]): unknown[] {
  const isPrimary = (value: unknown) => isObject(value) && value.primary === true
  const last = values.findLastIndex(isPrimary)
  return values.map((value, at) => at !== last && isPrimary(value) ? { ...value as Attributes, primary: false } : value)
}
