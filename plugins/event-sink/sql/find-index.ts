import type { Transaction } from 'kysely'

import type { Database } from '../../../lib/database/open-database.js'
import type { DatabaseSchema } from '../../../lib/database/schema.js'
import { importOptional } from '../../../lib/optional-package.js'
import type { IndexBuilder, PartitionIndex } from './index-build.js'

/** The index of every partition: the order of lists, then the values that a search compares in the index. */
export const FIND_INDEX: PartitionIndex = {
  suffix: '_find',
  definition: '(org_id, received_at, seq, message_key, event_key, user_key, anonymous_key, "timestamp")'
}

/**
 * Creates the function that indexes the partitions from before the migration to this version, newest first, while
 * events are stored. Each index has the order of the primary key, which is dropped afterwards.
 */
export async function findIndexes (
  { patient }: Database,
  { build, missing }: IndexBuilder,
  exclusively: (work: (tx: Transaction<DatabaseSchema>) => Promise<void>) => Promise<void>
): Promise<(stopped: () => boolean) => Promise<void>> {
  const { sql } = await importOptional('kysely', () => import('kysely'), 'The SQL event sink')
  let isDone = false

  return async function buildFindIndexes (stopped) {
    if (isDone) return
    const { rows } = await sql<{ name: string }>`
      select quote_ident(conname) as name from pg_constraint where conrelid = 'events'::regclass and contype = 'p'`
      .execute(patient)
    const [primaryKey] = rows
    if (primaryKey !== undefined) {
      if (!await build((db) => missing(db, [FIND_INDEX]), stopped)) return
      await exclusively(async (tx) => {
        if ((await missing(tx, [FIND_INDEX])).length > 0) return
        await sql`alter table events drop constraint if exists ${sql.raw(primaryKey.name)}`.execute(tx)
      })
      return
    }
    isDone = true
  }
}
