import { INVALID_REQUEST } from '../errors.js'
import { members } from './scan.js'

/** The properties of an object that must not be repeated, and those of nested objects. */
export interface KnownMembers {
  readonly names: ReadonlySet<string>
  readonly nested: ReadonlyMap<string, KnownMembers>
}

const OPEN_BRACE = 123
const bySchema = new WeakMap<object, KnownMembers>()

/** Returns the properties that a JSON schema names, at each level of objects. */
export function knownMembersOf (schema: object): KnownMembers {
  let known = bySchema.get(schema)
  if (known === undefined) {
    const { properties = {} } = schema as { properties?: Readonly<Record<string, object>> }
    const nested = Object.entries(properties).filter(([, inner]) => 'properties' in inner).map(([name, inner]) =>
      [name, knownMembersOf(inner)] as const
    )
    known = { names: new Set(Object.keys(properties)), nested: new Map(nested) }
    bySchema.set(schema, known)
  }
  return known
}

/**
 * Throws `INVALID_REQUEST` if a known property is repeated in its object, in any spelling of its key: some parsers use
 * the first value and others the last value.
 */
export function assertUnrepeated (object: string, known: KnownMembers): void {
  const path = repeatedMember(object, known)
  if (path !== null) throw new INVALID_REQUEST({ details: [{ path, message: 'must not occur twice' }] })
}

/** Returns the JSON pointer of a repeated known property, or `null`. */
function repeatedMember (object: string, { names, nested }: KnownMembers): string | null {
  const seen = new Set<string>()
  for (const { key, value } of members(object)) {
    if (!names.has(key)) continue
    if (seen.has(key)) return `/${key}`
    seen.add(key)
    const inner = nested.get(key)
    const repeated = inner === undefined || value.charCodeAt(0) !== OPEN_BRACE ? null : repeatedMember(value, inner)
    if (repeated !== null) return `/${key}${repeated}`
  }
  return null
}
