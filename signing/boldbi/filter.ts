import { assertNotEncoded, escapeValue, escapeError, isAmbiguousList } from './filter-escape.js'
import type { FilterPlace } from './filter-escape.js'
import { assertPrintable } from '../printable.js'

export type EmbedValue = string | number

/**
 * A condition on a field or a dashboard parameter, created by `embedFilter`. The condition is validated when a query is
 * built. An object that is not an instance of this class, such as parsed JSON, is never accepted as a condition.
 */
export class EmbedFilter {
  constructor (readonly operator: EmbedOperator, readonly values: ReadonlyArray<EmbedValue | Date>) {}
}

/** Filters by name. A plain value means `isIn` with one value, a list means `isIn` with its values. */
export type EmbedFilters = Readonly<Record<string, EmbedValue | readonly EmbedValue[] | EmbedFilter>>

export type EmbedOperator = keyof typeof OPERATORS

interface Grammar {
  takes: 'any' | 'string' | 'number' | 'range'
  count: 'one' | 'two' | 'many'
}

/** Bold BI's operators (documentation page "Filtering views through URL parameters"). Words enclose their values. */
const OPERATORS = {
  '=': { takes: 'any', count: 'one' },
  '!=': { takes: 'number', count: 'one' },
  '<': { takes: 'number', count: 'one' },
  '>': { takes: 'number', count: 'one' },
  '<=': { takes: 'number', count: 'one' },
  '>=': { takes: 'number', count: 'one' },
  IN: { takes: 'any', count: 'many' },
  NOTIN: { takes: 'any', count: 'many' },
  STARTSWITH: { takes: 'string', count: 'one' },
  ENDSWITH: { takes: 'string', count: 'one' },
  CONTAINS: { takes: 'string', count: 'one' },
  BETWEEN: { takes: 'range', count: 'two' },
  NOTBETWEEN: { takes: 'number', count: 'two' }
} as const satisfies Record<string, Grammar>

/**
 * Creates row-level filters. The whole identity is refused if a value has no documented spelling in Bold BI's filter
 * syntax or a number is not finite. `,`, `&` and `|` in a string are escaped for every filter; `(`, `)`, `<` and `>`
 * are escaped for a single value and for `isIn` of a field.
 *
 * @example
 * datasourceFilter: { fields: { Company: 'Johnson & Johnson', Region: embedFilter.isIn(['EU', 'Americas (North)']) } }
 */
export const embedFilter = {
  /** Matches any of the values; at least one value. */
  isIn: (values: readonly EmbedValue[]): EmbedFilter => new EmbedFilter('IN', values),
  /** Matches none of the values; at least one value. */
  isNotIn: (values: readonly EmbedValue[]): EmbedFilter => new EmbedFilter('NOTIN', values),
  startsWith: (text: string): EmbedFilter => new EmbedFilter('STARTSWITH', [text]),
  endsWith: (text: string): EmbedFilter => new EmbedFilter('ENDSWITH', [text]),
  contains: (text: string): EmbedFilter => new EmbedFilter('CONTAINS', [text]),
  /** Matches a range of numbers or dates, both ends included. Dates are rounded inwards to whole UTC minutes. */
  between: <Bound extends number | Date>(from: Bound, to: Bound): EmbedFilter => new EmbedFilter('BETWEEN', [from, to]),
  notBetween: (from: number, to: number): EmbedFilter => new EmbedFilter('NOTBETWEEN', [from, to]),
  /** Compares a measure, as do all filters below. */
  isNot: (value: number): EmbedFilter => new EmbedFilter('!=', [value]),
  greaterThan: (value: number): EmbedFilter => new EmbedFilter('>', [value]),
  atLeast: (value: number): EmbedFilter => new EmbedFilter('>=', [value]),
  lessThan: (value: number): EmbedFilter => new EmbedFilter('<', [value]),
  atMost: (value: number): EmbedFilter => new EmbedFilter('<=', [value])
} as const

/** A validated filter: its values can be read in one way only. */
export interface CheckedFilter {
  operator: EmbedOperator
  values: readonly EmbedValue[]
}

/** How `checkedFilter` validates a filter. */
export interface FilterRules {
  /** Characters that a value must not contain, in addition to those that Bold BI documents no escape for. */
  forbidden?: string
  /** Whether the filter is on a field of the data, not on a dashboard parameter. Default: `true`. */
  isField?: boolean
}

/**
 * Returns the operator and the values of a filter after validating them.
 *
 * @throws TypeError that names `field` and the reason, and does not contain the value.
 */
export function checkFilter (
  field: string,
  filterValue: unknown,
  { forbidden = '', isField = true }: FilterRules = {}
): CheckedFilter {
  const filter = filterValue instanceof EmbedFilter
    ? filterValue
    : new EmbedFilter(Array.isArray(filterValue) ? 'IN' : '=', Array.isArray(filterValue) ? filterValue : [filterValue])
  const { operator, values } = filter
  if (!Object.hasOwn(OPERATORS, operator)) throw new TypeError(`${field}: Bold BI does not know this operator`)
  const { takes, count } = OPERATORS[operator]
  // IN() without values might be read as no filter at all.
  if (
    !Array.isArray(values) || values.length < 1 || (count === 'one' && values.length > 1) ||
    (count === 'two' && values.length !== 2)
  ) {
    throw new TypeError(`${field}: must be a string, a number, a non-empty list, or made by embedFilter`)
  }
  if (count === 'two') assertOrdered(field, values)
  const rules = { takes, forbidden, brackets: isField && (operator === '=' || operator === 'IN') }
  const checked = values.map((value: unknown, at) => checkValue(field, value, at, rules))
  if (isAmbiguousList(checked.map(String))) {
    throw new TypeError(
      `${field}: a value that ends with ",", "&" or "|" must not precede a value that begins with one of them`
    )
  }
  return { operator, values: checked }
}

interface ValueRules extends FilterPlace {
  takes: Grammar['takes']
  forbidden: string
}

function checkValue (
  field: string,
  value: unknown,
  at: number,
  { takes, forbidden, brackets }: ValueRules
): EmbedValue {
  if (value instanceof Date && takes === 'range') return formatMinute(field, value, at)
  if (typeof value === 'number' && takes !== 'string') {
    // Bold BI may not read exponents such as 1e21 as a number.
    if (!/^-?\d+(?:\.\d+)?$/.test(String(value))) {
      throw new TypeError(`${field}: a number must be finite and writable without an exponent`)
    }
    return value
  }
  if (takes === 'range') throw new TypeError(`${field}: must be a number or a Date`)
  if (takes === 'number') throw new TypeError(`${field}: must be a number`)
  assertPrintable(field, value, forbidden)
  if (value.trim() === '') throw new TypeError(`${field}: must not be empty`)
  assertNotEncoded(field, value)
  const error = escapeError(value, { brackets })
  if (error !== null) throw new TypeError(`${field}: ${error}`)
  return value
}

/** A NOTBETWEEN whose bounds are swapped would match every row. */
function assertOrdered (field: string, [from, to]: readonly unknown[]): void {
  if (typeof from !== typeof to || !(Number(from) <= Number(to))) {
    throw new TypeError(`${field}: the first bound of a range must not be greater than the second bound`)
  }
}

/** Formats a time as Bold BI expects it in ranges, `M/d/yyyy h:mm tt` in UTC, rounded inwards. */
function formatMinute (field: string, time: Date, at: number): string {
  const minute = new Date((at === 0 ? Math.ceil : Math.floor)(time.getTime() / 60_000) * 60_000)
  const year = minute.getUTCFullYear()
  if (!(year >= 1000 && year <= 9999)) throw new TypeError(`${field}: the year of a Date must be between 1000 and 9999`)
  const hours = minute.getUTCHours()
  const clock = `${hours % 12 || 12}:${String(minute.getUTCMinutes()).padStart(2, '0')} ${hours < 12 ? 'AM' : 'PM'}`
  return `${minute.getUTCMonth() + 1}/${minute.getUTCDate()}/${year} ${clock}`
}

/** Returns `name=value`, `name>=value` or `name=IN(value,value)`, with each string escaped. */
export function formatFilter (name: string, { operator, values }: CheckedFilter): string {
  const strings = values.map((value) => typeof value === 'string' ? escapeOperand(operator, value) : String(value))
  return /^\w/.test(operator) ? `${name}=${operator}(${strings.join(',')})` : name + operator + strings.join('')
}

/** Formatted times of a range contain nothing to escape. */
function escapeOperand (operator: EmbedOperator, value: string): string {
  return OPERATORS[operator].takes === 'range' ? value : escapeValue(value)
}
