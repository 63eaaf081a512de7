import type { Kysely } from 'kysely'

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
  const waiting = new Set<() => void>()
  let free = atOnce

  /** Resolves in turn. */
  async function turn (signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (free > 0) {
      free--
      return
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => leave(new Error('The lists of others take too long')), LONGEST_WAIT)
      const onAbort = () => leave(signal?.reason)
      const enter = () => {
        settle()
        resolve()
      }
      function settle () {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        waiting.delete(enter)
      }
      function leave (reason: unknown) {
        settle()
        reject(reason)
      }
      signal?.addEventListener('abort', onAbort)
      waiting.add(enter)
    })
  }

  function pass (): void {
    const [next] = waiting
    if (next === undefined) free++
    else next()
  }

  return {
    async read (work, signal) {
      await turn(signal)
      try {
        return await db.connection().execute(async (connection) => {
          // The connection too may have been waited for.
          signal?.throwIfAborted()
          return await work(connection)
        })
      } finally {
        pass()
      }
    }
  }
}
