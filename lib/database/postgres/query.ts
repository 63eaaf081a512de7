import type { PoolClient } from 'pg'

import type { PostgresResult } from './pool-slice.js'

/**
 * Runs one query; rejects after `timeLimit` milliseconds, and the connection is not usable then. Passes the callback
 * when the query is created: `pg` sets it later for a promise and for `query_timeout`, and with such a query V8 keeps
 * every row until the next collection of the whole heap (`bench:export`).
 */
export function runQuery (
  client: PoolClient,
  sql: string,
  values: readonly unknown[] | undefined,
  timeLimit: number | undefined
): Promise<PostgresResult> {
  return new Promise((resolve, reject) => {
    const timer = timeLimit === undefined
      ? undefined
      : setTimeout(() => reject(new Error('Query read timeout')), timeLimit)
    client.query(sql, values as unknown[], (error: Error | null, result) => {
      clearTimeout(timer)
      if (error === null) return resolve(result)
      // Shows the caller instead of the socket.
      Error.captureStackTrace(error)
      reject(error)
    })
  })
}
