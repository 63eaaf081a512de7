import { importOptional } from '../optional-package.js'
import { connectionFault } from './connection-fault.js'
import { copyIn } from './postgres-copy.js'
import type { PostgresClientSlice, PostgresPoolSlice, PostgresResult } from './postgres-pool-slice.js'

const DRAIN_LIMIT = 5_000

export interface PostgresPoolOptions {
  /** A `postgres://` URL; TLS by its `sslmode`. */
  url: string
  /** The most connections at a time. Default: 10. */
  maxConnections?: number
  /** Milliseconds until a query without an answer rejects and its connection is given up, which may be dead without a word. Default: 60 000. */
  queryTimeout?: number
  /** Told when an idle connection breaks; the next query makes a new one. Default: nobody. */
  onIdleError?: (error: Error) => void
}

/**
 * Makes a pool of `pg` that survives the loss of the server and gives up on a connection after 5 s. Its end waits 5 s for the
 * queries that run, then cuts them off.
 */
export async function createPostgresPool ({ url, maxConnections = 10, queryTimeout = 60_000, onIdleError }: PostgresPoolOptions): Promise<PostgresPoolSlice> {
  const { default: pg } = await importOptional('pg', () => import('pg'), 'A PostgreSQL database')
  const pool = new pg.Pool({
    connectionString: url, max: maxConnections, connectionTimeoutMillis: 5_000, query_timeout: queryTimeout, application_name: 'fastify-gatehouse'
  })
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', (error) => onIdleError?.(error))
  const clients = new Set<Client>()
  pool.on('connect', (client) => {
    clients.add(client)
    // And so would the loss of one that is lent but asks nothing just then, which the pool does not watch; it is not used again.
    client.on('error', () => {})
  })
  pool.on('remove', (client) => clients.delete(client))

  return {
    connect: async () => lend(await pool.connect()),
    async end () {
      // A client that is ended while it waits for an answer drops its connection.
      const limit = setTimeout(() => { for (const client of clients) client.end().catch(() => {}) }, DRAIN_LIMIT)
      await pool.end()
      clearTimeout(limit)
    }
  }
}

type Client = import('pg').PoolClient & { end (): Promise<void> }

function lend (client: import('pg').PoolClient): PostgresClientSlice {
  let broken: Error | undefined

  function watch<Value> (answer: Promise<Value>): Promise<Value> {
    return answer.catch((error: unknown) => {
      broken ??= connectionFault(error)
      throw error
    })
  }

  return {
    query: (sql, params) => watch(client.query(sql, params as unknown[] | undefined) as Promise<PostgresResult>),
    copy: (parts) => watch(copyIn(client as unknown as Parameters<typeof copyIn>[0], parts)),
    release: () => client.release(broken)
  }
}
