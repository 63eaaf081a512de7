import type { EventEmitter } from 'node:events'

import { connectionFault } from '../connection-fault.js'
import type { CopyPart, PostgresClientSlice, PostgresPoolSlice } from './pool-slice.js'

type Connection = { query (text: string): void, stream: { write (bytes: Buffer): void, cork (): void, uncork (): void } }
type Callback = (error: Error | null) => void

/**
 * Several COPYs as one query of `pg`: one transaction, and one round trip, as the rows are sent along with the statements. What
 * arrives after a COPY has failed is dropped by the server. (PostgreSQL: Frontend/Backend Protocol, "COPY Operations" and
 * "Multiple Statements in a Simple Query".)
 */
class Copies {
  /** Called once; `pg` puts its time limit around it. */
  callback: Callback
  /** Milliseconds, as `pg` reads it. */
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

/** The client of `pg` that takes such a query, or a pool's own wrapping of it. */
type Client = Pick<PostgresClientSlice, 'copy'> & Partial<Pick<EventEmitter, 'on' | 'off'>> & {
  connection?: { query?: unknown }
  /** Whether queries are sent ahead of each other's answers, which none of another making can be. */
  pipeline?: boolean
  query (query: object): unknown
}

/** Sends COPYs over a client of `pg`. The time limit, milliseconds, is the client's own where none is given. */
export function copyIn (client: Pick<Client, 'query'>, parts: readonly CopyPart[], timeLimit?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new Copies(parts, (error) => error === null ? resolve() : reject(error), timeLimit))
  })
}

/** How long one copy after the other may have a client, milliseconds, before others who wait for it have their turn. */
const LONGEST_LOAN = 20

/** How rows are copied over a pool's connections; `null` if they are none of `pg`, and of the embedded database. */
export async function copierOf (pool: PostgresPoolSlice): Promise<((parts: readonly CopyPart[]) => Promise<void>) | null> {
  const able = await lending(pool, async ({ client }) => client.copy !== undefined || (typeof client.connection?.query === 'function' && client.pipeline !== true))
  if (!able) return null
  const kept: Loan[] = []

  return async function copy (parts) {
    // The pool lends no client before the next turn, and by then the database has idled while other work was done.
    const loan = kept.pop() ?? await borrow(pool)
    try {
      await (loan.client.copy?.(parts) ?? copyIn(loan.client, parts))
    } catch (error) {
      loan.giveBack(error)
      throw error
    }
    if (performance.now() - loan.since > LONGEST_LOAN) return loan.giveBack()
    kept.push(loan)
    if (kept.length === 1) setImmediate(giveBackKept)
  }

  function giveBackKept (): void {
    for (const loan of kept.splice(0)) loan.giveBack()
  }
}

interface Loan {
  client: Client
  /** When it began, milliseconds by `performance.now`. */
  since: number
  /** @param error what the last query failed with */
  giveBack (error?: unknown): void
}

async function borrow (pool: PostgresPoolSlice): Promise<Loan> {
  const lent = await pool.connect()
  const client = lent as unknown as Client
  // A pool of `pg` does not watch what it has lent: a server that is killed says so more than once, and the second time ends the process.
  client.on?.('error', ignore)
  return {
    client,
    since: performance.now(),
    giveBack (error) {
      client.off?.('error', ignore)
      lent.release(connectionFault(error))
    }
  }
}

async function lending<Value> (pool: PostgresPoolSlice, work: (loan: Loan) => Promise<Value>): Promise<Value> {
  const loan = await borrow(pool)
  let failure: unknown
  try {
    return await work(loan)
  } catch (error) {
    failure = error
    throw error
  } finally {
    loan.giveBack(failure)
  }
}

function ignore (): void {}
