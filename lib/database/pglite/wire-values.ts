import pgTypes from 'pg-types'

import type { WireResult } from './protocol.js'

/** Parses values in PostgreSQL's text format with the parsers of `pg`. */
export function toRows ({ fields, rows }: WireResult): Array<Record<string, unknown>> {
  const columns = fields.map(({ name, dataTypeID }) => ({
    name,
    parse: pgTypes.getTypeParser(dataTypeID, 'text') as (text: string) => unknown
  }))
  return rows.map((cells) => {
    const row: Record<string, unknown> = {}
    for (const [at, { name, parse }] of columns.entries()) {
      const cell = cells[at] ?? null
      row[name] = cell === null ? null : parse(cell)
    }
    return row
  })
}
