import { parseArray } from './wire-arrays.js'
import { parseDate } from './wire-dates.js'
import type { WireResult } from './pglite-protocol.js'

type Parse = (text: string) => unknown

const integer: Parse = (text) => Number.parseInt(text, 10)
const float: Parse = (text) => Number.parseFloat(text)
const boolean: Parse = (text) => text === 't'
const bytes: Parse = (text) => Buffer.from(text.slice(2), 'hex')
const json: Parse = (text) => JSON.parse(text)
const string: Parse = (text) => text
const arrayOf = (item: Parse): Parse => (text) => parseArray(text, item)

/** By type id, as `pg` reads them; what is not listed stays a string, as do int8 and numeric, which JavaScript would round. */
const parsers = new Map<number, Parse>([
  [16, boolean], [17, bytes], [21, integer], [23, integer], [26, integer], [700, float], [701, float],
  [114, json], [3802, json], [1082, parseDate], [1114, parseDate], [1184, parseDate],
  [1000, arrayOf(boolean)], [1001, arrayOf(bytes)], [1005, arrayOf(integer)], [1007, arrayOf(integer)], [1028, arrayOf(integer)],
  [1021, arrayOf(float)], [1022, arrayOf(float)], [1231, arrayOf(float)], [199, arrayOf(json)], [3807, arrayOf(json)],
  [1115, arrayOf(parseDate)], [1182, arrayOf(parseDate)], [1185, arrayOf(parseDate)],
  [1008, arrayOf(string)], [1009, arrayOf(string)], [1014, arrayOf(string)], [1015, arrayOf(string)], [1016, arrayOf(string)],
  [1041, arrayOf(string)], [2951, arrayOf(string)]
])

/** Turns PostgreSQL's text into the objects that `pg` would give. */
export function toRows ({ fields, rows }: WireResult): Array<Record<string, unknown>> {
  const columns = fields.map(({ name, dataTypeID }) => ({ name, parse: parsers.get(dataTypeID) ?? string }))
  return rows.map((cells) => {
    const row: Record<string, unknown> = {}
    for (const [at, { name, parse }] of columns.entries()) {
      const cell = cells[at] ?? null
      row[name] = cell === null ? null : parse(cell)
    }
    return row
  })
}
