import type { Kysely } from 'kysely'

import type { Cutoff } from '../../../contracts/token-store/index.js'
import { toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { toMilliseconds } from './times.js'

const NONE: Cutoff = Object.freeze({ before: 0 })

/** The cut-offs of subjects by their keys, in their order and in one statement, for the cache. */
export async function loadCutoffs (db: Kysely<DatabaseSchema>, keys: readonly string[]): Promise<Cutoff[]> {
  // Imported here so that this module loads where kysely, an optional package, is not installed; `openDatabase` then says what to install.
  const { sql } = await import('kysely')
  const parts = keys.map((key) => (JSON.parse(key) as string[]).map(toColumnText))
  const column = (at: number) => sql`${parts.map((part) => part[at])}::text[]`
  const asked = sql<{ org_id: string, kind: string, subject: string, place: string }>`
    unnest(${column(0)}, ${column(1)}, ${column(2)}) with ordinality`.as<'asked'>(sql`asked (org_id, kind, subject, place)`)
  const rows = await db.selectFrom(asked)
    .innerJoin('revocations', (join) => join.onRef('revocations.org_id', '=', 'asked.org_id')
      .on(sql`revocations.kind`, '=', sql`asked.kind`).onRef('revocations.subject', '=', 'asked.subject'))
    .select(['revocations.cutoff', 'asked.place']).execute()
  const found = new Map(rows.map(({ place, cutoff }) => [Number(place), toMilliseconds(cutoff)]))
  return keys.map((_key, at) => {
    const before = found.get(at + 1)
    return before === undefined ? NONE : Object.freeze({ before })
  })
}
