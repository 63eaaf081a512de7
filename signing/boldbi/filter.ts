import { assertNotEncoded, escapedValue, escapeFault, isAmbiguousList } from './filter-escape.js'
import type { FilterPlace } from './filter-escape.js'
import { assertPrintable } from '../printable.js'

export type EmbedValue = string | number

/**
 * A condition on a field or a dashboard parameter, made by `embedFilter`. It is checked when a query is built from it: what is no
 * instance of this class, such as parsed JSON, is never taken for one.
 */
export class EmbedFilter {
  constructor (readonly operator: EmbedOperator, readonly values: ReadonlyArray<EmbedValue | Date>) {}
}

/** A plain value is `isIn` of that one, a list `isIn` of its values. */
export type EmbedFilters = Readonly<Record<string, EmbedValue | readonly EmbedValue[] | EmbedFilter>>

export type EmbedOperator = keyof typeof OPERATORS

interface Grammar { takes: 'any' | 'text' | 'number' | 'range', count: 'one' | 'two' | 'many' }

/** Bold BI's operators (its page on filtering views through URL parameters): signs stand between name and value, words enclose the values. */
const OPERATORS = {
  '=': { takes: 'any', count: 'one' },
  '!=': { takes: 'number', count: 'one' },
  '<': { takes: 'number', count: 'one' },
  '>': { takes: 'number', count: 'one' },
  '<=': { takes: 'number', count: 'one' },
  '>=': { takes: 'number', count: 'one' },
  IN: { takes: 'any', count: 'many' },
  NOTIN: { takes: 'any', count: 'many' },
  STARTSWITH: { takes: 'text', count: 'one' },
  ENDSWITH: { takes: 'text', count: 'one' },
  CONTAINS: { takes: 'text', count: 'one' },
  BETWEEN: { takes: 'range', count: 'two' },
  NOTBETWEEN: { takes: 'number', count: 'two' }
} as const satisfies Record<string, Grammar>

/**
 * Row-level filters. A value that has no documented spelling in Bold BI's filter syntax, or a number that is not
 * finite, refuses the whole identity. `,`, `&` and `|` in a string are escaped for every filter; `(`, `)`, `<` and `>`
 * for a single value and `isIn` of a field.
 *
 * @example
 * datasourceFilter: { fields: { Company: 'Johnson & Johnson', Region: embedFilter.isIn(['EU', 'Americas (North)']) } }
 */
export const embedFilter = {
  /** One of these, at least one. */
  isIn: (values: readonly EmbedValue[]): EmbedFilter => new EmbedFilter('IN', values),
  /** None of these, at least one. */
  isNotIn: (values: readonly EmbedValue[]): EmbedFilter => new EmbedFilter('NOTIN', values),
  startsWith: (text: string): EmbedFilter => new EmbedFilter('STARTSWITH', [text]),
  endsWith: (text: string): EmbedFilter => new EmbedFilter('ENDSWITH', [text]),
  contains: (text: string): EmbedFilter => new EmbedFilter('CONTAINS', [text]),
  /** Two numbers, or two dates, which are written in UTC to the minute, never wider than they are. */
  between: <Bound extends number | Date>(from: Bound, to: Bound): EmbedFilter => new EmbedFilter('BETWEEN', [from, to]),
  notBetween: (from: number, to: number): EmbedFilter => new EmbedFilter('NOTBETWEEN', [from, to]),
  /** A measure, as are all below. */
  isNot: (value: number): EmbedFilter => new EmbedFilter('!=', [value]),
  greaterThan: (value: number): EmbedFilter => new EmbedFilter('>', [value]),
  atLeast: (value: number): EmbedFilter => new EmbedFilter('>=', [value]),
  lessThan: (value: number): EmbedFilter => new EmbedFilter('<', [value]),
  atMost: (value: number): EmbedFilter => new EmbedFilter('<=', [value])
} as const

/** A filter that may be written: its values can be read in no other way than they were meant. */
export interface CheckedFilter { operator: EmbedOperator, values: readonly EmbedValue[] }

/** Where a filter stands. */
export interface FilterRules {
  /** Characters that a value must not contain, in addition to those that Bold BI documents no escape for. */
  forbidden?: string
  /** Whether the filter is on a field of the data, not on a dashboard parameter. Default: `true`. */
  isField?: boolean
}

/**
 * Returns the filter with its operator and values.
 *
 * @throws TypeError that names `field` and the reason, and does not contain the value.
 */
export function checkedFilter (field: string, given: unknown, { forbidden = '', isField = true }: FilterRules = {}): CheckedFilter {
  const filter = given instanceof EmbedFilter ? given : new EmbedFilter(Array.isArray(given) ? 'IN' : '=', Array.isArray(given) ? given : [given])
  const { operator, values } = filter
  if (!Object.hasOwn(OPERATORS, operator)) throw new TypeError(`${field}: Bold BI does not know this operator`)
  const { takes, count } = OPERATORS[operator]
  // IN() without values might be read as no filter at all.
  if (!Array.isArray(values) || values.length < 1 || (count === 'one' && values.length > 1) || (count === 'two' && values.length !== 2)) {
    throw new TypeError(`${field}: must be a string, a number, a non-empty list, or made by embedFilter`)
  }
  if (count === 'two') assertOrdered(field, values)
  const rules = { takes, forbidden, brackets: isField && (operator === '=' || operator === 'IN') }
  const checked = values.map((value: unknown, at) => checkedValue(field, value, at, rules))
  if (isAmbiguousList(checked.map(String))) {
    throw new TypeError(`${field}: a value that ends with ",", "&" or "|" must not be followed by one that begins with them`)
  }
  return { operator, values: checked }
}

interface ValueRules extends FilterPlace { takes: Grammar['takes'], forbidden: string }

function checkedValue (field: string, value: unknown, at: number, { takes, forbidden, brackets }: ValueRules): EmbedValue {
  if (value instanceof Date && takes === 'range') return minuteText(field, value, at)
  if (typeof value === 'number' && takes !== 'text') {
    // Not every reader takes 1e21 for a number.
    if (!/^-?\d+(?:\.\d+)?$/.test(String(value))) throw new TypeError(`${field}: a number must be finite and writable in plain digits`)
    return value
  }
  if (takes === 'number' || takes === 'range') throw new TypeError(`${field}: must be a number${takes === 'range' ? ' or a Date' : ''}`)
  assertPrintable(field, value, forbidden)
  if (value.trim() === '') throw new TypeError(`${field}: must not be empty`)
  assertNotEncoded(field, value)
  const fault = escapeFault(value, { brackets })
  if (fault !== null) throw new TypeError(`${field}: ${fault}`)
  return value
}

/** NOTBETWEEN of a range that is upside down would let everything through. */
function assertOrdered (field: string, [from, to]: readonly unknown[]): void {
  if (typeof from !== typeof to || !(Number(from) <= Number(to))) throw new TypeError(`${field}: a range must go from the lower to the higher`)
}

/** As Bold BI wants times in ranges: M/d/yyyy h:mm tt. */
function minuteText (field: string, time: Date, at: number): string {
  const minute = new Date((at === 0 ? Math.ceil : Math.floor)(time.getTime() / 60_000) * 60_000)
  const year = minute.getUTCFullYear()
  if (!(year >= 1000 && year <= 9999)) throw new TypeError(`${field}: a Date must be of the years 1000 to 9999`)
  const hours = minute.getUTCHours()
  const clock = `${hours % 12 || 12}:${String(minute.getUTCMinutes()).padStart(2, '0')} ${hours < 12 ? 'AM' : 'PM'}`
  return `${minute.getUTCMonth() + 1}/${minute.getUTCDate()}/${year} ${clock}`
}

/** `name=value`, `name>=value` or `name=IN(value,value)`, with each string escaped. */
export function filterText (name: string, { operator, values }: CheckedFilter): string {
  const texts = values.map((value) => typeof value === 'string' ? escaped(operator, value) : String(value))
  return /^\w/.test(operator) ? `${name}=${operator}(${texts.join(',')})` : name + operator + texts.join('')
}

/** The times of a range are ours and need no escape. */
function escaped (operator: EmbedOperator, value: string): string {
  return OPERATORS[operator].takes === 'range' ? value : escapedValue(value)
}
