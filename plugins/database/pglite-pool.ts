import { toWireParameter } from './wire-parameters.js'
import { toRows } from './wire-values.js'
import type { PgliteThread } from './pglite-thread.js'
import type { PostgresClientSlice, PostgresPoolSlice, PostgresResult } from './postgres-pool-slice.js'

const DRAIN_LIMIT = 5_000

/**
 * The embedded database as a pool of `pg` with one connection: `connect()` lends it to one caller at a time, first come first
 * served, so that no transaction is interleaved with another.
 */
export function createPglitePool (thread: PgliteThread): PostgresPoolSlice {
  let lastTurn: Promise<void> = Promise.resolve()
  let ended: Promise<void> | undefined

  async function connect (): Promise<PostgresClientSlice> {
    if (thread.failure !== null) throw thread.failure
    if (ended !== undefined) throw new Error('The embedded database is closed')
    const turn = lastTurn
    let pass: () => void = () => {}
    lastTurn = new Promise((resolve) => { pass = resolve })
    await turn
    return lend(thread, pass)
  }

  async function drain (): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<void>((resolve) => { timer = setTimeout(resolve, DRAIN_LIMIT) })
    await Promise.race([lastTurn, limit])
    clearTimeout(timer)
    await thread.close()
  }

  return {
    connect,
    end: () => (ended ??= drain())
  }
}

function lend (thread: PgliteThread, pass: () => void): PostgresClientSlice {
  let released = false
  let openTransaction = false

  return {
    async query (sql, params = []): Promise<PostgresResult> {
      if (released) throw new Error('This connection was released')
      const { outcome, open } = await thread.query(sql, params.map(toWireParameter))
      openTransaction = open
      if (outcome instanceof Error) throw outcome
      return { command: outcome.command, rowCount: outcome.rowCount, rows: toRows(outcome) }
    },
    release () {
      if (released) return
      released = true
      if (!openTransaction) return pass()
      // There is no other connection: a transaction left open would swallow what everyone writes after it.
      thread.query('rollback', []).catch(() => {}).finally(pass)
    }
  }
}
