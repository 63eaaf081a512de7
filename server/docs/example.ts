import { BY_TAG, OTHER_ID, VALUES } from './values.js'

/** The keywords of a JSON schema that an example follows from. */
export interface Schema {
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  minProperties?: number
  examples?: unknown[]
  const?: unknown
  default?: unknown
  enum?: unknown[]
  format?: string
}

export interface ExampleOf {
  /** The first tag of the operation. */
  tag: string
  /** Whether an optional property is left out: a request shows what a caller must send. */
  leaveOutOptional: boolean
  /** Values of properties of this operation alone. */
  overrides: Readonly<Record<string, unknown>>
}

const USUALLY_FALSE = /^(disabled|has_more|has_account|truncated|signed|required|require_timestamp|allow_.+)$/

/**
 * Returns an example of a schema: its own, or one made of those of its properties. Returns `undefined`
 * if a value has no example, so that a test can name the place.
 *
 * @example
 * const of = { tag: 'admin users', leaveOutOptional: false, overrides: {} }
 * exampleOf({ type: 'object', properties: { email: { type: 'string' } } }, of)
 * // { email: 'ann@example.com' }
 */
export function exampleOf (schema: Schema, of: ExampleOf, name = ''): unknown {
  if (schema.examples !== undefined) return schema.examples[0]
  if (Object.hasOwn(of.overrides, name) && has(schema, of.overrides[name])) return of.overrides[name]
  if (schema.const !== undefined) return schema.const
  if (schema.anyOf?.[0] !== undefined) return exampleOf(schema.anyOf[0], of, name)
  if (schema.default !== undefined) return schema.default
  if (schema.enum !== undefined) return schema.enum.find((value) => value !== null)
  const [type] = [schema.type].flat()
  if (type === 'object' && schema.properties !== undefined && !Object.hasOwn(VALUES, name)) return objectOf(schema, of)
  const value = valueOf(schema, of, name)
  if (value !== undefined) return value
  if (type === 'boolean') return !USUALLY_FALSE.test(name)
  if (type === 'array') return schema.items === undefined ? [] : listOf(exampleOf(schema.items, of, name))
  return type === 'object' ? {} : undefined
}

function objectOf ({ properties = {}, required = [], minProperties = 0 }: Schema, of: ExampleOf): unknown {
  const shown = Object.entries(properties).filter(([name], at) =>
    !of.leaveOutOptional || required.includes(name) || at < minProperties
  )
  const members = shown.map(([name, schema]) => [name, exampleOf(schema, of, name)] as const)
  return members.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(members)
}

/** The value for a name, if it has the type of the schema: `refused` is a count, and a series of counts. */
function valueOf (schema: Schema, { tag }: ExampleOf, name: string): unknown {
  if (schema.format === 'uuid') return OTHER_ID
  const value = BY_TAG[tag]?.[name] ?? (name === 'id' ? OTHER_ID : VALUES[name])
  return has(schema, value) ? value : undefined
}

/** Whether the schema allows the type of a value. */
function has ({ type }: Schema, value: unknown): boolean {
  return type === undefined || [type].flat().includes(typeOf(value))
}

function typeOf (value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

function listOf (item: unknown): unknown[] | undefined {
  return item === undefined ? undefined : [item]
}
