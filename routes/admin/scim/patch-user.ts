import type { PatchOperation } from '../../../schemas/scim.js'
import { canonicalName, ENTERPRISE_ATTRIBUTES, isIgnored, USER_ATTRIBUTES } from './attributes.js'
import type { Attribute, ENTERPRISE_URN } from './attributes.js'
import { invalid } from './errors.js'
import { parsePath } from './filter.js'
import type { AttributePath, Condition } from './filter.js'
import { operationOf } from './operations.js'
import type { Operation } from './operations.js'
import { isObject, MAX_VALUES, readBoolean } from './values.js'
import type { Attributes } from './values.js'

/**
 * Returns the attributes of a user after PATCH operations. Accepts what directories send: operations in any case, a
 * path or an object of paths, and a filter of values that selects nothing, which creates the value. Throws
 * `invalidPath` for an unknown path and `invalidValue` for a missing value.
 */
export function patchUser (attributes: Attributes, operations: readonly PatchOperation[]): Attributes {
  const patched = structuredClone(attributes)
  for (const given of operations) {
    const { operation, path, value } = operationOf(given)
    if (path !== undefined) {
      if (!apply(patched, operation, parsePath(path), value)) {
        throw invalid('invalidPath', 'The path names an unknown attribute')
      }
      continue
    }
    if (operation === 'remove' || !isObject(value)) {
      throw invalid('invalidValue', 'An operation without a path needs an object as its value')
    }
    // As in the body of a new user, unknown attributes are ignored.
    for (const [key, each] of Object.entries(value)) {
      const target = tryPath(key)
      if (target !== null) apply(patched, operation, target, each)
    }
  }
  return patched
}

function tryPath (key: string): AttributePath | null {
  try {
    return parsePath(key)
  } catch {
    return null
  }
}

/** Applies one operation; returns whether the path names a known attribute. */
function apply (root: Attributes, operation: Operation, path: AttributePath, value: unknown): boolean {
  const { extension, name: lower, sub: lowerSub, conditions } = path
  if (operation !== 'remove' && value === undefined) throw invalid('invalidValue', 'An operation has no value')
  if (extension === null && isIgnored(lower)) return true
  const table = extension === null ? USER_ATTRIBUTES : ENTERPRISE_ATTRIBUTES
  if (extension !== null && lower === '') return applyExtension(root, operation, extension, value)
  const name = canonicalName(table, lower)
  const attribute = name === undefined ? undefined : table[name]
  if (name === undefined || attribute === undefined) return false
  const sub = lowerSub === null ? null : canonicalName(attribute.sub ?? {}, lowerSub)
  if (sub === undefined || (conditions !== null && attribute.multiValued !== true)) return false
  const container = extension === null ? root : objectIn(root, extension)
  const target = { container, name, attribute, sub }
  if (attribute.multiValued === true) applyToValues(target, operation, conditions, value)
  else applyToSingle(target, operation, value)
  return true
}

interface Target {
  container: Attributes
  name: string
  attribute: Attribute
  /** The canonical name of the sub-attribute. */
  sub: string | null
}

function applyExtension (
  root: Attributes,
  operation: Operation,
  extension: typeof ENTERPRISE_URN,
  value: unknown
): true {
  if (operation === 'remove' || value === null) delete root[extension]
  else if (!isObject(value)) throw invalid('invalidValue', 'The enterprise extension must be an object')
  else {
    for (const [key, each] of Object.entries(value)) {
      apply(root, operation, { extension, name: key.toLowerCase(), conditions: null, sub: null }, each)
    }
  }
  return true
}

function applyToSingle ({ container, name, attribute, sub }: Target, operation: Operation, value: unknown): void {
  const isRemoved = operation === 'remove' || value === null
  if (sub !== null) {
    const object = objectIn(container, name)
    if (isRemoved) delete object[sub]
    else object[sub] = value
  } else if (isRemoved) {
    delete container[name]
  } else if (attribute.type === 'complex' && isObject(value)) {
    // Keeps the sub-attributes that the value leaves out (RFC 7644, sections 3.5.2.1 and 3.5.2.3).
    for (const [key, each] of Object.entries(value)) {
      const known = canonicalName(attribute.sub ?? {}, key)
      if (known !== undefined) objectIn(container, name)[known] = each
    }
  } else {
    container[name] = value
  }
}

function applyToValues (
  { container, name, attribute, sub }: Target,
  operation: Operation,
  conditions: Condition[] | null,
  value: unknown
): void {
  const values = (Array.isArray(container[name]) ? container[name] : []) as Attributes[]
  const isRemoved = operation === 'remove' || value === null
  const isSelected = (each: Attributes) => conditions === null || matchesAll(each, conditions, attribute)
  if (conditions === null && sub === null) {
    container[name] = isRemoved ? withoutValues(values, value) : joined(operation, values, value)
    assertFewValues(container[name] as Attributes[])
    return
  }
  if (isRemoved) {
    if (sub === null) container[name] = values.filter((each) => !isSelected(each))
    else for (const each of values.filter(isSelected)) delete each[sub]
    return
  }
  if (!values.some(isSelected)) values.push(valueFor(conditions ?? [], attribute))
  assertFewValues(values)
  if (!values.some(isSelected)) throw invalid('noTarget', 'The filter of the path selects no value')
  for (const each of values.filter(isSelected)) {
    if (sub !== null) each[sub] = value
    else if (isObject(value)) Object.assign(each, value)
    else each.value = value
    const isPrimary = sub === 'primary' || (isObject(value) && 'primary' in value)
    if (isPrimary && each.primary !== undefined && readBoolean(each.primary, 'primary')) {
      for (const other of values) if (other !== each) delete other.primary
    }
  }
  container[name] = values
}

/** Checked after each operation, because thousands of operations on a long list would take seconds. */
function assertFewValues (values: readonly unknown[]): void {
  if (values.length > MAX_VALUES) throw invalid('invalidValue', `A list has more than ${MAX_VALUES} values`)
}

/** Returns a value of a list as an object: directories also send the plain value. */
function toObject (value: unknown): Attributes {
  if (isObject(value)) return value
  if (typeof value !== 'string') throw invalid('invalidValue', 'A value of a list must be an object')
  return { value }
}

/** Adds or replaces the values of a list. A value that is there already is not added twice. */
function joined (operation: Operation, values: Attributes[], value: unknown): Attributes[] {
  const given = (Array.isArray(value) ? value as unknown[] : [value]).map(toObject)
  if (operation === 'replace') return given
  const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)
  return [...values, ...given.filter((each) => !values.some((known) => isSame(known, each)))]
}

/** Removes the values of a list that a `remove` names by their `value`; all of them if it names none. */
function withoutValues (values: Attributes[], removed: unknown): Attributes[] {
  if (removed === undefined || removed === null) return []
  const names = (Array.isArray(removed) ? removed as unknown[] : [removed]).map((each) =>
    isObject(each) ? each.value : each
  )
  return values.filter((each) => !names.includes(each.value))
}

/** Creates the value that a filter such as `emails[type eq "work"]` would select. */
function valueFor (conditions: readonly Condition[], attribute: Attribute): Attributes {
  return Object.fromEntries(
    conditions.filter(({ operator }) => operator === 'eq').map(({ path, value }) => {
      const name = canonicalName(attribute.sub ?? {}, path.name) ?? path.name
      return [name, name === 'primary' ? readBoolean(value, name) : value]
    })
  )
}

function matchesAll (value: Attributes, conditions: readonly Condition[], { sub = {} }: Attribute): boolean {
  return conditions.every(({ path, operator, value: wanted }) => {
    const name = canonicalName(sub, path.name)
    if (name === undefined) throw invalid('invalidPath', 'The filter of the path names an unknown attribute')
    const found = value[name]
    if (operator === 'pr') return found !== undefined
    const [text, part] = [String(found ?? '').toLowerCase(), String(wanted ?? '').toLowerCase()]
    if (operator === 'eq') return text === part
    return operator === 'co' ? text.includes(part) : text.startsWith(part)
  })
}

function objectIn (container: Attributes, name: string): Attributes {
  const present = container[name]
  if (isObject(present)) return present
  const created: Attributes = {}
  container[name] = created
  return created
}
