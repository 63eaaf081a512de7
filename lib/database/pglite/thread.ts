import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

import { fileBesideBundle, packageFile } from '../../package-file.js'
import type { PgliteReply, PgliteRequest, PgliteWorkerData, WireError, WireParameter, WireResult } from './protocol.js'

const CLOSE_TIMEOUT = 5_000

/** A worker thread that runs PGlite. */
export interface PgliteThread {
  /** Why the thread stopped, or `null` while it runs. */
  readonly failure: Error | null
  /** Runs one statement after those already queued. */
  query(sql: string, params: readonly WireParameter[]): Promise<PgliteResult>
  /** Shuts the database down, then ends the thread; terminates the thread after 5 s in any case. */
  close(): Promise<void>
}

/** The result of a statement. `inTransaction`: the connection is inside a transaction. */
export interface PgliteResult {
  outcome: WireResult | DatabaseError
  inTransaction: boolean
}

/** An error that PostgreSQL reports, with the same fields as in `pg`. */
export class DatabaseError extends Error {
  override name = 'error'
  /** The SQLSTATE, such as `23505` for a unique violation. */
  declare code?: string
  declare detail?: string
  declare table?: string
  declare constraint?: string

  constructor ({ message, ...fields }: WireError) {
    super(message)
    Object.assign(this, fields, { name: 'error' })
  }
}

/** The embedded database has stopped: every query rejects with this error until the database is opened again. */
export class DatabaseStopped extends Error {
  override name = 'DatabaseStopped'
  readonly code = 'DATABASE_STOPPED'
}

interface PendingQuery {
  resolve: (result: PgliteResult) => void
  reject: (error: Error) => void
}

/** Starts PGlite in a worker thread and resolves when it is ready. The caller must hold the lock of `dataDir`. */
export async function startPgliteThread (dataDir?: string): Promise<PgliteThread> {
  const worker = new Worker(workerFile(), {
    name: 'pglite',
    workerData: { dataDir } satisfies PgliteWorkerData
  })
  const pending = new Map<number, PendingQuery>()
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  let lastId = 0
  let failure: Error | null = null

  function fail (error: Error) {
    failure ??= error
    for (const { reject } of pending.values()) reject(failure)
    pending.clear()
  }

  await new Promise<void>((resolve, reject) => {
    worker.on('message', (reply: PgliteReply) => {
      if ('ready' in reply) return resolve()
      if ('failed' in reply) return fail(new DatabaseStopped(`The embedded database failed: ${reply.failed.message}`))
      const query = pending.get(reply.id)
      pending.delete(reply.id)
      query?.resolve({
        outcome: 'error' in reply ? new DatabaseError(reply.error) : reply.result,
        inTransaction: reply.inTransaction
      })
    })
    worker.on(
      'messageerror',
      (error) => fail(new DatabaseStopped('The embedded database sent an unreadable message', { cause: error }))
    )
    worker.on(
      'error',
      (error) => fail(new DatabaseStopped('The thread of the embedded database crashed', { cause: error }))
    )
    worker.once('exit', () => {
      fail(new DatabaseStopped('The embedded database has stopped'))
      reject(failure)
    })
  })

  return {
    get failure () {
      return failure
    },
    query (sql, params) {
      if (failure !== null) return Promise.reject(failure)
      return new Promise((resolve, reject) => {
        const id = ++lastId
        pending.set(id, { resolve, reject })
        worker.postMessage({ id, sql, params } satisfies PgliteRequest)
      })
    },
    async close () {
      worker.postMessage({ close: true } satisfies PgliteRequest)
      const timer = setTimeout(() => {
        worker.terminate()
      }, CLOSE_TIMEOUT)
      await ended
      clearTimeout(timer)
    }
  }
}

function workerFile (): URL {
  const bundled = fileBesideBundle('pglite-worker.js')
  return existsSync(bundled) ? bundled : packageFile('lib/database/pglite/pglite-worker.js')
}
