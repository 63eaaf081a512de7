import pgTypes from 'pg-types'

import type { WireResult } from './protocol.js'

/** Turns PostgreSQL's text into the objects that `pg` would give, by the parsers that `pg` itself uses. */
export function toRows ({ fields, rows }: WireResult): Array<Record<string, unknown>> {
  const columns = fields.map(({ name, dataTypeID }) => ({ name, parse: pgTypes.getTypeParser(dataTypeID, 'text') as (text: string) => unknown }))
  return rows.map((cells) => {
    const row: Record<string, unknown> = {}
    for (const [at, { name, parse }] of columns.entries()) {
      const cell = cells[at] ?? null
      row[name] = cell === null ? null : parse(cell)
    }
    return row
  })
}
