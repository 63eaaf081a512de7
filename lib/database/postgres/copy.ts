import type { EventEmitter } from 'node:events'

import { fatalConnectionError } from '../fatal-connection-error.js'
import type { CopyPart, PostgresClientSlice, PostgresPoolSlice } from './pool-slice.js'

type Connection = { query(text: string): void, stream: { write(bytes: Buffer): void, cork(): void, uncork(): void } }
type Callback = (error: Error | null) => void

/**
 * Sends several COPY statements as one `pg` query: one transaction and one round trip, as the rows follow without
 * waiting for a response. After a failed COPY the server drops the remaining rows. (PostgreSQL: Frontend/Backend
 * Protocol, "COPY Operations" and "Multiple Statements in a Simple Query".)
 */
class CopyQuery {
  /** Called once. `pg` wraps it to apply the time limit. */
  callback: Callback
  /** Milliseconds. `pg` reads this property. */
  readonly query_timeout: number | undefined
  readonly #parts: readonly CopyPart[]
  #error: Error | null = null

  constructor (parts: readonly CopyPart[], callback: Callback, timeLimit?: number) {
    this.#parts = parts
    this.callback = callback
    this.query_timeout = timeLimit
  }

  submit (connection: Connection): void {
    const { stream } = connection
    stream.cork()
    connection.query(this.#parts.map(({ into }) => `COPY ${into} FROM STDIN (FORMAT binary)`).join(';'))
    for (const { messages } of this.#parts) stream.write(messages)
    stream.uncork()
  }

  handleCopyInResponse (): void {}
  handleCommandComplete (): void {}

  handleError (error: Error): void {
    this.#error ??= error
    this.callback(this.#error)
  }

  handleReadyForQuery (): void {
    this.callback(this.#error)
  }
}

/** A `pg` client that accepts such a query, or a pool's wrapper around it. */
type Client = Pick<PostgresClientSlice, 'copy'> & Partial<Pick<EventEmitter, 'on' | 'off'>> & {
  connection?: { query?: unknown }
  /** Whether `pg` sends queries before earlier responses arrive; custom queries do not support that. */
  pipeline?: boolean
  query(query: object): unknown
}

/** Runs COPY statements on a `pg` client. `timeLimit`: milliseconds. Default: the client's own limit. */
export function copyIn (client: Pick<Client, 'query'>, parts: readonly CopyPart[], timeLimit?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyQuery(parts, (error) => error === null ? resolve() : reject(error), timeLimit))
  })
}

/** Maximum time that consecutive copies keep one client, milliseconds, so that other callers get a connection. */
const MAX_LOAN = 20

/** Returns a function that copies rows through a pool; `null` if its connections do not support COPY. */
export async function createCopier (
  pool: PostgresPoolSlice
): Promise<((parts: readonly CopyPart[]) => Promise<void>) | null> {
  const isSupported = await withLoan(
    pool,
    async ({ client }) =>
      client.copy !== undefined || (typeof client.connection?.query === 'function' && client.pipeline !== true)
  )
  if (!isSupported) return null
  const idleLoans: Loan[] = []

  return async function copy (parts) {
    // Reuses a client at once: the pool hands it out only in the next turn of the event loop, and the database would
    // idle.
    const loan = idleLoans.pop() ?? await borrow(pool)
    try {
      await (loan.client.copy?.(parts) ?? copyIn(loan.client, parts))
    } catch (error) {
      loan.release(error)
      throw error
    }
    if (performance.now() - loan.since > MAX_LOAN) return loan.release()
    idleLoans.push(loan)
    if (idleLoans.length === 1) setImmediate(releaseIdle)
  }

  function releaseIdle (): void {
    for (const loan of idleLoans.splice(0)) loan.release()
  }
}

interface Loan {
  client: Client
  /** When the client was taken, by `performance.now`. */
  since: number
  /** @param error the error of the last query */
  release(error?: unknown): void
}

async function borrow (pool: PostgresPoolSlice): Promise<Loan> {
  const pgClient = await pool.connect()
  const client = pgClient as unknown as Client
  // `pg` pools do not listen for errors of lent clients, and an unhandled second error would end the process.
  client.on?.('error', ignore)
  return {
    client,
    since: performance.now(),
    release (error) {
      client.off?.('error', ignore)
      pgClient.release(fatalConnectionError(error))
    }
  }
}

async function withLoan<Value> (pool: PostgresPoolSlice, work: (loan: Loan) => Promise<Value>): Promise<Value> {
  const loan = await borrow(pool)
  let failure: unknown
  try {
    return await work(loan)
  } catch (error) {
    failure = error
    throw error
  } finally {
    loan.release(failure)
  }
}

function ignore (): void {}
