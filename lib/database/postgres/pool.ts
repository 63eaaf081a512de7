import { assertWholeNumber } from '../../options.js'
import { importOptional } from '../../optional-package.js'
import { connectionFault } from '../connection-fault.js'
import { copyIn } from './copy.js'
import { readPostgresTls } from './tls.js'
import type { PostgresClientSlice, PostgresPoolSlice, PostgresResult } from './pool-slice.js'

const DRAIN_LIMIT = 5_000
/** Milliseconds to wait for a connection, be it a new one or one that others have, where the query may not end sooner. */
const CONNECT_LIMIT = 3_000
/** Milliseconds, for those who ask with patience. */
const PATIENT_CONNECT_LIMIT = 10_000
/** Milliseconds until a connection for such work is closed that has none. */
const PATIENT_IDLE_LIMIT = 1_000
/** The part of a time limit after which the server itself ends a statement: by its answer the connection is saved. */
const SERVER_SHARE = 0.9
/** Milliseconds after which the server ends a transaction whose client says nothing, and so may be dead: nothing that it locked stays locked. */
const IDLE_IN_TRANSACTION_LIMIT = 10_000
/** Connections for lists. */
export const LIST_CONNECTIONS = 2
/** Milliseconds that a statement of a list may take. */
const LIST_TIMEOUT = 1_000
/** Milliseconds of silence after which the system asks whether the other machine is still there. */
const KEEP_ALIVE_AFTER = 10_000

export interface PostgresPoolOptions {
  /**
   * A `postgres://` URL. TLS as libpq understands `sslmode`: `disable`; `require` (encrypted, and whoever answers is believed: a warning says so);
   * `verify-ca` (a certificate by `sslrootcert`, for any name); `verify-full` (and for this host; without `sslrootcert` by the authorities that
   * Node.js knows). `sslcert` and `sslkey` are the client's own certificate. Without `sslmode` and PGSSLMODE nothing is encrypted; `prefer`
   * and `allow`, which let an attacker choose that, are refused.
   */
  url: string
  /**
   * The most connections at a time. Up to two more are open while lists are read, and two while the database is migrated or cleaned up.
   * Default: 10.
   */
  maxConnections?: number
  /**
   * Milliseconds until whoever asks gives up, the wait for a connection (3 s at most) included; all queries of one transaction together.
   * The server ends a statement somewhat earlier; where even that gives no answer, the connection is given up, which may be dead without
   * a word. Migrations and clean-up have no such limit. Default: 4 500.
   */
  queryTimeout?: number
  /** Told when an idle connection breaks; the next query makes a new one. Default: nobody. */
  onIdleError?: (error: Error) => void
  /** Told what is legal in the URL but less safe than it looks. Default: `process.emitWarning`. */
  onWarning?: (message: string) => void
}

export interface PostgresPools {
  /** For what somebody waits for. */
  pool: PostgresPoolSlice
  /** For what takes as long as it takes. */
  patient: PostgresPoolSlice
  /** For the statements of lists, each of a second at most. */
  lists: PostgresPoolSlice
  /** Where the server is, for messages: no password in it. */
  target: string
}

/**
 * Makes three pools of `pg`, two with time limits and one without, that survive the loss of the server; no connection is made yet. Their end
 * waits 5 s for the queries that run, then cuts them off.
 *
 * The limits go to the server as it is connected to (`statement_timeout`, `idle_in_transaction_session_timeout`), where the URL does
 * not set them itself. PgBouncer has to be told to let them pass (`ignore_startup_parameters`), and to pool by session: a migration
 * holds a lock across transactions.
 *
 * @throws an Error when the URL can't be read, or a file that it names
 */
export async function createPostgresPools (
  { url, maxConnections = 10, queryTimeout = 4_500, onIdleError, onWarning = warn }: PostgresPoolOptions
): Promise<PostgresPools> {
  assertWholeNumber('database', 'queryTimeout', queryTimeout, { unit: 'milliseconds' })
  const { default: pg } = await importOptional('pg', () => import('pg'), 'A PostgreSQL database')
  const { warning, ...connection } = await readPostgresTls(url)
  if (warning !== null) onWarning(warning)
  const options = {
    ...connection,
    application_name: 'fastify-gatehouse',
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_LIMIT,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER
  }
  const limited = new pg.Pool({
    ...options,
    max: maxConnections,
    connectionTimeoutMillis: Math.min(CONNECT_LIMIT, queryTimeout),
    statement_timeout: Math.ceil(queryTimeout * SERVER_SHARE)
  })
  const patient = new pg.Pool({ ...options, max: 2, connectionTimeoutMillis: PATIENT_CONNECT_LIMIT, idleTimeoutMillis: PATIENT_IDLE_LIMIT })
  const listTimeout = Math.min(LIST_TIMEOUT, queryTimeout)
  const lists = new pg.Pool({
    ...options, max: LIST_CONNECTIONS, connectionTimeoutMillis: Math.min(CONNECT_LIMIT, queryTimeout), statement_timeout: Math.ceil(listTimeout * SERVER_SHARE)
  })
  return {
    pool: slice(limited, queryTimeout, onIdleError),
    patient: slice(patient, Infinity, onIdleError),
    lists: slice(lists, queryTimeout, onIdleError),
    target: targetOf(() => new pg.Client(options))
  }
}

function warn (message: string): void {
  process.emitWarning(message)
}

type Pool = import('pg').Pool
type Client = import('pg').PoolClient & { end (): Promise<void> }

function slice (pool: Pool, limit: number, onIdleError?: (error: Error) => void): PostgresPoolSlice {
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
    async connect () {
      const deadline = performance.now() + limit
      return lend(await pool.connect(), deadline)
    },
    async end () {
      // A client that is ended while it waits for an answer drops its connection.
      const limit = setTimeout(() => { for (const client of clients) client.end().catch(() => {}) }, DRAIN_LIMIT)
      await pool.end()
      clearTimeout(limit)
    }
  }
}

/** @param deadline by when all is asked and answered, milliseconds by `performance.now` */
function lend (client: import('pg').PoolClient, deadline: number): PostgresClientSlice {
  let broken: Error | undefined

  /** Asks with what time is left; not at all where no answer can be trusted any more. */
  async function ask<Value> (question: (timeLeft: number | undefined) => Promise<Value>): Promise<Value> {
    const timeLeft = Math.ceil(deadline - performance.now())
    if (timeLeft <= 0) broken ??= new Error('The database took too long')
    if (broken !== undefined) throw broken
    try {
      return await question(timeLeft === Infinity ? undefined : timeLeft)
    } catch (error) {
      broken ??= connectionFault(error)
      throw error
    }
  }

  return {
    query: (text, values) => ask((timeLeft) => client.query({ text, values: values as unknown[], query_timeout: timeLeft } as import('pg').QueryConfig) as Promise<PostgresResult>),
    copy: (parts) => ask((timeLeft) => copyIn(client as unknown as Parameters<typeof copyIn>[0], parts, timeLeft)),
    release: () => client.release(broken)
  }
}

function targetOf (read: () => import('pg').Client): string {
  try {
    const { host, port, user, database } = read()
    return `${host}:${port}, database "${database ?? ''}", as "${user ?? ''}"`
  } catch {
    // Without the cause, which may quote it.
    throw new Error('The database URL can\'t be read: it is postgres://user:password@host:port/database, and what is special in a URL is written as %40 for @ and so on')
  }
}
