import type { Kysely } from 'kysely'

import { Semaphore } from '../../semaphore.js'
import type { DatabaseSchema } from '../schema.js'

/** The statements of lists, few of them at once, so that many readers do not slow down what is written. */
export interface ListReads {
  /**
   * Does `work`, one statement, in its turn. Rejects without having asked the database once `signal` aborts, and after 4 s without a turn.
   */
  read<Value> (work: (db: Kysely<DatabaseSchema>) => Promise<Value>, signal?: AbortSignal): Promise<Value>
}

/** Milliseconds. */
const LONGEST_WAIT = 4_000

/** @param atOnce how many of these statements run at a time */
export function listReads (db: Kysely<DatabaseSchema>, atOnce: number): ListReads {
  const turns = new Semaphore({ permits: atOnce, maxWait: LONGEST_WAIT, onOverdue: () => new Error('The lists of others take too long') })
  return {
    read: (work, signal) => turns.run(() => db.connection().execute(async (connection) => {
      // The connection too may have been waited for.
      signal?.throwIfAborted()
      return await work(connection)
    }), { signal })
  }
}
