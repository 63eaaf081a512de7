import { importOptional } from '../optional-package.js'
import type { PostgresPoolSlice } from './postgres-pool-slice.js'

export interface PostgresPoolOptions {
  /** A `postgres://` URL; TLS by its `sslmode`. */
  url: string
  /** The most connections at a time. Default: 10. */
  maxConnections?: number
  /** Told when an idle connection breaks; the next query makes a new one. Default: nobody. */
  onIdleError?: (error: Error) => void
}

/** Makes a pool of `pg` that survives the loss of the server and gives up on a connection after 5 s. */
export async function createPostgresPool ({ url, maxConnections = 10, onIdleError }: PostgresPoolOptions): Promise<PostgresPoolSlice> {
  const { default: pg } = await importOptional('pg', () => import('pg'), 'A PostgreSQL database')
  const pool = new pg.Pool({ connectionString: url, max: maxConnections, connectionTimeoutMillis: 5_000, application_name: 'fastify-gatehouse' })
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', (error) => onIdleError?.(error))
  return pool
}
