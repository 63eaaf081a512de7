import { appendCounts } from '../../../lib/database/counts/append.js'
import { countExpiry, foldCounts } from '../../../lib/database/counts/fold.js'
import { sqlCountReader } from '../../../lib/database/counts/read.js'
import type { Database } from '../../../lib/database/open-database.js'
import type { Counts } from '../../../contracts/token-store/index.js'

export function sqlCounts ({ db, lists }: Database): Counts {
  return {
    add: (counts) => appendCounts(db, counts),
    ...sqlCountReader(db, lists)
  }
}

/** Folds the appended counts, then deletes the old counts of this store. The event sink deletes its own. */
export function sqlCountSweeper (database: Database): { sweep (before: number): Promise<void> } {
  const expire = countExpiry(database, ['source', 'embed', 'admin'])
  return {
    async sweep (before) {
      await foldCounts(database)
      await expire(before)
    }
  }
}
