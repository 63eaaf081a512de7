import { waitAtMost } from '../../deadline.js'
import { toWireParameter } from './wire-parameters.js'
import { toRows } from './wire-values.js'
import type { PgliteThread } from './thread.js'
import type { PostgresClientSlice, PostgresPoolSlice, PostgresResult } from '../postgres/pool-slice.js'

const DRAIN_LIMIT = 5_000
/** Milliseconds after which who stands behind the others has the next turn all the same. */
const PATIENCE = 100

export interface PglitePool extends PostgresPoolSlice {
  /** The same database for what can wait: lent only while nobody waits for the pool itself, and after 100 ms all the same. */
  readonly behind: PostgresPoolSlice
}

interface Waiter { since: number, enter: () => void }

/**
 * The embedded database as a pool of `pg` with one connection: `connect()` lends it to one caller at a time, first come first
 * served, so that no transaction is interleaved with another.
 */
export function createPglitePool (thread: PgliteThread): PglitePool {
  const first: Waiter[] = []
  const behind: Waiter[] = []
  let isLent = false
  let onIdle: (() => void) | null = null
  let ended: Promise<void> | undefined

  async function connect (queue: Waiter[]): Promise<PostgresClientSlice> {
    if (thread.failure !== null) throw thread.failure
    if (ended !== undefined) throw new Error('The embedded database is closed')
    if (isLent || first.length > 0) await new Promise<void>((resolve) => queue.push({ since: performance.now(), enter: resolve }))
    isLent = true
    return lend(thread, pass)
  }

  function pass (): void {
    const isOverdue = behind[0] !== undefined && performance.now() - behind[0].since >= PATIENCE
    const next = (isOverdue ? behind : first).shift()
    if (next !== undefined) return next.enter()
    isLent = false
    // Whoever has had an answer may have something else to write.
    if (behind.length > 0) setImmediate(passBehind)
    else onIdle?.()
  }

  function passBehind (): void {
    if (isLent) return
    isLent = true
    behind.shift()?.enter()
  }

  async function drain (): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      onIdle = resolve
      if (!isLent && behind.length === 0) resolve()
    })
    await waitAtMost(idle, DRAIN_LIMIT)
    await thread.close()
  }

  const end = () => (ended ??= drain())
  return { connect: () => connect(first), end, behind: { connect: () => connect(behind), end } }
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
