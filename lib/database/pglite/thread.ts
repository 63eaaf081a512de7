import { Worker } from 'node:worker_threads'

import { fileBeside } from '../../file-beside.js'
import type { PgliteReply, PgliteRequest, PgliteWorkerData, WireError, WireParameter, WireResult } from './protocol.js'

const CLOSE_LIMIT = 5_000

export interface PgliteThread {
  /** Why the thread is gone, or `null` while it runs. */
  readonly failure: Error | null
  /** Runs one statement after those already asked; `open` = the connection is now inside a transaction. */
  query (sql: string, params: readonly WireParameter[]): Promise<PgliteAnswer>
  /** Closes the database as a shutdown does, then ends the thread; after 5 s it is ended regardless. */
  close (): Promise<void>
}

export interface PgliteAnswer {
  outcome: WireResult | DatabaseError
  open: boolean
}

/** An error of PostgreSQL, with the fields that `pg` gives it. */
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

/** The embedded database has stopped; everything asked of it rejects with this until it is opened again. */
export class DatabaseStopped extends Error {
  override name = 'DatabaseStopped'
  readonly code = 'DATABASE_STOPPED'
}

interface Waiting {
  resolve: (answer: PgliteAnswer) => void
  reject: (error: Error) => void
}

/** Starts PGlite in a thread of its own and resolves once it answers. A folder's `dataDir` must be locked by the caller. */
export async function startPgliteThread (dataDir?: string): Promise<PgliteThread> {
  const worker = new Worker(fileBeside('./worker.js', import.meta.url), {
    name: 'pglite',
    workerData: { dataDir } satisfies PgliteWorkerData
  })
  const waiting = new Map<number, Waiting>()
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  let lastId = 0
  let failure: Error | null = null

  function stop (error: Error) {
    failure ??= error
    for (const { reject } of waiting.values()) reject(failure)
    waiting.clear()
  }

  await new Promise<void>((resolve, reject) => {
    worker.on('message', (reply: PgliteReply) => {
      if ('ready' in reply) return resolve()
      if ('failed' in reply) return stop(new DatabaseStopped(`The embedded database failed: ${reply.failed.message}`))
      const asked = waiting.get(reply.id)
      waiting.delete(reply.id)
      asked?.resolve({ outcome: 'error' in reply ? new DatabaseError(reply.error) : reply.result, open: reply.open })
    })
    worker.on('messageerror', (error) => stop(new DatabaseStopped('The embedded database sent what cannot be read', { cause: error })))
    worker.on('error', (error) => stop(new DatabaseStopped('The thread of the embedded database crashed', { cause: error })))
    worker.once('exit', () => {
      stop(new DatabaseStopped('The embedded database has stopped'))
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
        waiting.set(id, { resolve, reject })
        worker.postMessage({ id, sql, params } satisfies PgliteRequest)
      })
    },
    async close () {
      worker.postMessage({ close: true } satisfies PgliteRequest)
      const limit = setTimeout(() => { worker.terminate() }, CLOSE_LIMIT)
      await ended
      clearTimeout(limit)
    }
  }
}
