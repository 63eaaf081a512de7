import type { Kysely } from 'kysely'

import { Semaphore } from '../../semaphore.js'
import type { DatabaseSchema } from '../schema.js'

/** Runs the statements of lists with a concurrency limit, so that readers do not slow down writes. */
export interface ListReads {
  /**
   * Runs `work`, a single statement, when a permit is free. Rejects without a query when `signal` aborts, and after 4 s
   * without a permit.
   */
  read<Value>(work: (db: Kysely<DatabaseSchema>) => Promise<Value>, signal?: AbortSignal): Promise<Value>
}

/** Milliseconds. */
const MAX_WAIT = 4_000

/** @param concurrency maximum number of concurrent statements */
export function listReads (db: Kysely<DatabaseSchema>, concurrency: number): ListReads {
  const semaphore = new Semaphore({
    permits: concurrency,
    maxWait: MAX_WAIT,
    onOverdue: () => new Error('Too many lists are being read; timed out while waiting')
  })
  return {
    read: (work, signal) =>
      semaphore.run(() =>
        db.connection().execute(async (connection) => {
          // The signal may have aborted while the pool waited for a connection.
          signal?.throwIfAborted()
          return await work(connection)
        }), { signal })
  }
}
