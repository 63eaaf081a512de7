import type { Kysely } from 'kysely'

import type { Cutoff } from '../../../contracts/token-store/index.js'
import { toColumnText } from '../../../lib/database/column-text.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { toMilliseconds } from './times.js'

const NONE: Cutoff = Object.freeze({ before: 0 })

/** Loads the cut-offs of several subject keys for the cache, in their order, in one statement. */
export async function loadCutoffs (db: Kysely<DatabaseSchema>, keys: readonly string[]): Promise<Cutoff[]> {
  // A dynamic import, so that this module loads without the optional package kysely; `openDatabase` says what to
  // install.
  const { sql } = await import('kysely')
  const parts = keys.map((key) => (JSON.parse(key) as string[]).map(toColumnText))
  const column = (at: number) => sql`${parts.map((part) => part[at])}::text[]`
  const requested = sql<{ org_id: string, kind: string, subject: string, ordinal: string }>`
    unnest(${column(0)}, ${column(1)}, ${column(2)}) with ordinality`.as<'requested'>(
    sql`requested (org_id, kind, subject, ordinal)`
  )
  const rows = await db.selectFrom(requested)
    .innerJoin('revocations', (join) =>
      join.onRef('revocations.org_id', '=', 'requested.org_id')
        .on(sql`revocations.kind`, '=', sql`requested.kind`).onRef('revocations.subject', '=', 'requested.subject'))
    .select(['revocations.cutoff', 'requested.ordinal']).execute()
  const found = new Map(rows.map(({ ordinal, cutoff }) => [Number(ordinal), toMilliseconds(cutoff)]))
  return keys.map((_key, at) => {
    const before = found.get(at + 1)
    return before === undefined ? NONE : Object.freeze({ before })
  })
}
