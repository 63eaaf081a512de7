import { INVALID_OPTIONS } from '../../errors.js'
import { assertWholeNumber } from '../../options.js'
import { importOptional } from '../../optional-package.js'
import { fatalConnectionError } from '../fatal-connection-error.js'
import { copyIn } from './copy.js'
import { readPostgresTls } from './tls.js'
import type { PostgresClientSlice, PostgresPoolSlice } from './pool-slice.js'
import { runQuery } from './query.js'

/** The beginnings of the URLs and socket paths that `pg` accepts. */
const LOCATION = /^(?:postgres(?:ql)?:|socket:|\/)/i
const DRAIN_TIMEOUT = 5_000
/** Maximum wait for a new or pooled connection, milliseconds. */
const CONNECT_TIMEOUT = 3_000
/** The same for migrations and cleanup. */
const PATIENT_CONNECT_TIMEOUT = 10_000
/** Milliseconds until an idle connection for migrations and cleanup is closed. */
const PATIENT_IDLE_TIMEOUT = 1_000
/** Share of a time limit after which the server cancels a statement; its response keeps the connection usable. */
const SERVER_TIMEOUT_SHARE = 0.9
/** Milliseconds after which the server ends an idle transaction, whose client may be dead, and releases its locks. */
const IDLE_IN_TRANSACTION_TIMEOUT = 10_000
/** Number of connections for lists. */
export const LIST_CONNECTIONS = 2
/** Maximum duration of a list's statement, milliseconds. */
const LIST_TIMEOUT = 1_000
/** Milliseconds without traffic until TCP keep-alive probes start. */
const KEEP_ALIVE_DELAY = 10_000

/** A PostgreSQL server and the limits of its connections. */
export interface PostgresPoolOptions {
  /**
   * A `postgres://` URL. TLS follows libpq's `sslmode`: `disable`; `require` (encrypted, but any server is trusted,
   * with a warning); `verify-ca` (the certificate authority in `sslrootcert`, any host name); `verify-full` (the host
   * name too; without `sslrootcert` the authorities that Node.js trusts). `sslcert` and `sslkey` set the client's
   * certificate. Without `sslmode` and PGSSLMODE the connection is not encrypted. `prefer` and `allow` are refused, as
   * an attacker could disable TLS.
   */
  url: string
  /**
   * Maximum number of connections. Lists use up to two more, and migrations and cleanup another two. Default: 10.
   */
  maxConnections?: number
  /**
   * Maximum time for a query or a transaction, milliseconds, including the wait for a connection (at most 3 s). The
   * server cancels a statement slightly earlier; if it does not respond, the connection is closed. Migrations and
   * cleanup have no limit. Default: 4 500.
   */
  queryTimeout?: number
  /** Called when an idle connection fails; the next query opens a new one. Default: none. */
  onIdleError?: (error: Error) => void
  /** Called with a warning about an insecure setting in the URL. Default: `process.emitWarning`. */
  onWarning?: (message: string) => void
}

/** The connection pools of one server. */
export interface PostgresPools {
  /** For requests; limited by `queryTimeout`. */
  pool: PostgresPoolSlice
  /** For migrations and cleanup, without a time limit. */
  patient: PostgresPoolSlice
  /** For lists; each statement is limited to 1 s. */
  lists: PostgresPoolSlice
  /** The server's address for messages, without the password. */
  target: string
}

/**
 * Creates three `pg` pools that survive the loss of the server; none connects yet. `end()` waits 5 s for running
 * queries, then closes their connections.
 *
 * The limits are sent as startup parameters (`statement_timeout`, `idle_in_transaction_session_timeout`) unless the URL
 * sets them. PgBouncer must accept them (`ignore_startup_parameters`) and pool by session, as a migration holds a lock
 * across transactions.
 *
 * @throws an Error when the URL, or a file that it names, cannot be read
 */
export async function createPostgresPools (
  { url, maxConnections = 10, queryTimeout = 4_500, onIdleError, onWarning = warn }: PostgresPoolOptions
): Promise<PostgresPools> {
  // The value is not shown: it may contain a password.
  if (typeof url !== 'string' || !LOCATION.test(url)) {
    throw new INVALID_OPTIONS('openDatabase: "url" must be a URL such as postgres://user:password@host:5432/name')
  }
  assertWholeNumber('database', 'queryTimeout', queryTimeout, { unit: 'milliseconds' })
  const { default: pg } = await importOptional('pg', () => import('pg'), 'A PostgreSQL database')
  const { warning, ...connection } = await readPostgresTls(url)
  if (warning !== null) onWarning(warning)
  const options = {
    ...connection,
    application_name: 'fastify-gatehouse',
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY
  }
  const limited = new pg.Pool({
    ...options,
    max: maxConnections,
    connectionTimeoutMillis: Math.min(CONNECT_TIMEOUT, queryTimeout),
    statement_timeout: Math.ceil(queryTimeout * SERVER_TIMEOUT_SHARE)
  })
  const patient = new pg.Pool({
    ...options,
    max: 2,
    connectionTimeoutMillis: PATIENT_CONNECT_TIMEOUT,
    idleTimeoutMillis: PATIENT_IDLE_TIMEOUT
  })
  const listTimeout = Math.min(LIST_TIMEOUT, queryTimeout)
  const lists = new pg.Pool({
    ...options,
    max: LIST_CONNECTIONS,
    connectionTimeoutMillis: Math.min(CONNECT_TIMEOUT, queryTimeout),
    statement_timeout: Math.ceil(listTimeout * SERVER_TIMEOUT_SHARE)
  })
  return {
    pool: toPoolSlice(limited, queryTimeout, onIdleError),
    patient: toPoolSlice(patient, Infinity, onIdleError),
    lists: toPoolSlice(lists, queryTimeout, onIdleError),
    target: describeTarget(() => new pg.Client(options))
  }
}

function warn (message: string): void {
  process.emitWarning(message)
}

type Pool = import('pg').Pool
type Client = import('pg').PoolClient & { end(): Promise<void> }

function toPoolSlice (pool: Pool, timeout: number, onIdleError?: (error: Error) => void): PostgresPoolSlice {
  // An idle connection that fails without a listener would end the process.
  pool.on('error', (error) => onIdleError?.(error))
  const clients = new Set<Client>()
  pool.on('connect', (client) => {
    clients.add(client)
    // So would a lent connection between queries, as the pool does not listen to it. It is not used again.
    client.on('error', () => {})
  })
  pool.on('remove', (client) => clients.delete(client))

  return {
    get totalCount () { return pool.totalCount },
    get idleCount () { return pool.idleCount },
    get waitingCount () { return pool.waitingCount },
    async connect () {
      const deadline = performance.now() + timeout
      return lend(await pool.connect(), deadline)
    },
    async end () {
      // Ending a client that waits for a response closes its connection.
      const timer = setTimeout(() => {
        for (const client of clients) client.end().catch(() => {})
      }, DRAIN_TIMEOUT)
      await pool.end()
      clearTimeout(timer)
    }
  }
}

/** @param deadline when all queries must have completed, by `performance.now` */
function lend (client: import('pg').PoolClient, deadline: number): PostgresClientSlice {
  let broken: Error | undefined

  /** Runs a query with the remaining time. Rejects if the time is up or the connection is no longer usable. */
  async function run<Value> (query: (timeLeft: number | undefined) => Promise<Value>): Promise<Value> {
    const timeLeft = Math.ceil(deadline - performance.now())
    if (timeLeft <= 0) broken ??= new Error('The query timed out')
    if (broken !== undefined) throw broken
    try {
      return await query(timeLeft === Infinity ? undefined : timeLeft)
    } catch (error) {
      broken ??= fatalConnectionError(error)
      throw error
    }
  }

  return {
    query: (sql, values) => run((timeLeft) => runQuery(client, sql, values, timeLeft)),
    copy: (parts) => run((timeLeft) => copyIn(client as unknown as Parameters<typeof copyIn>[0], parts, timeLeft)),
    release: () => client.release(broken)
  }
}

function describeTarget (read: () => import('pg').Client): string {
  try {
    const { host, port, user, database } = read()
    return `${host}:${port}, database "${database ?? ''}", as "${user ?? ''}"`
  } catch {
    // Leaves out the cause, which may quote the URL with its password.
    throw new Error(
      'The database URL is not valid; expected postgres://user:password@host:port/database with special ' +
        'characters percent-encoded, such as %40 for @'
    )
  }
}
