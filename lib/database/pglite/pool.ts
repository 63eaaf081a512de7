import { waitAtMost } from '../../deadline.js'
import { toWireParameter } from './wire-parameters.js'
import { toRows } from './wire-values.js'
import type { PgliteThread } from './thread.js'
import type { PostgresClientSlice, PostgresPoolSlice, PostgresResult } from '../postgres/pool-slice.js'

const DRAIN_TIMEOUT = 5_000
/** Milliseconds after which a background waiter goes first. */
const MAX_BACKGROUND_WAIT = 100

export interface PglitePool extends PostgresPoolSlice {
  /** The same connection at low priority: lent only while the pool has no waiter, or after a wait of 100 ms. */
  readonly background: PostgresPoolSlice
}

interface Waiter {
  since: number
  resolve: () => void
}

/**
 * Presents the embedded database as a `pg` pool with one connection. `connect()` lends it to one caller at a time, in
 * order of arrival, so that transactions do not interleave.
 */
export function createPglitePool (thread: PgliteThread): PglitePool {
  const queue: Waiter[] = []
  const backgroundQueue: Waiter[] = []
  let isLent = false
  let onDrained: (() => void) | null = null
  let ended: Promise<void> | undefined

  async function connect (waiters: Waiter[]): Promise<PostgresClientSlice> {
    if (thread.failure !== null) throw thread.failure
    if (ended !== undefined) throw new Error('The embedded database is closed')
    if (isLent || queue.length > 0) {
      await new Promise<void>((resolve) => waiters.push({ since: performance.now(), resolve }))
    }
    isLent = true
    return lend(thread, lendToNext)
  }

  function lendToNext (): void {
    const isOverdue = backgroundQueue[0] !== undefined &&
      performance.now() - backgroundQueue[0].since >= MAX_BACKGROUND_WAIT
    const next = (isOverdue ? backgroundQueue : queue).shift()
    if (next !== undefined) return next.resolve()
    isLent = false
    // The caller that just finished may queue another query, which goes first.
    if (backgroundQueue.length > 0) setImmediate(lendToBackground)
    else onDrained?.()
  }

  function lendToBackground (): void {
    if (isLent) return
    isLent = true
    backgroundQueue.shift()?.resolve()
  }

  async function drain (): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      onDrained = resolve
      if (!isLent && backgroundQueue.length === 0) resolve()
    })
    await waitAtMost(idle, DRAIN_TIMEOUT)
    await thread.close()
  }

  const end = () => (ended ??= drain())
  return {
    totalCount: 1,
    get idleCount () { return isLent ? 0 : 1 },
    get waitingCount () { return queue.length + backgroundQueue.length },
    connect: () => connect(queue),
    end,
    background: { connect: () => connect(backgroundQueue), end }
  }
}

function lend (thread: PgliteThread, onRelease: () => void): PostgresClientSlice {
  let released = false
  let openTransaction = false

  return {
    async query (sql, params = []): Promise<PostgresResult> {
      if (released) throw new Error('This connection has been released')
      const { outcome, inTransaction } = await thread.query(sql, params.map(toWireParameter))
      openTransaction = inTransaction
      if (outcome instanceof Error) throw outcome
      return { command: outcome.command, rowCount: outcome.rowCount, rows: toRows(outcome) }
    },
    release () {
      if (released) return
      released = true
      if (!openTransaction) return onRelease()
      // The only connection: an open transaction would swallow the writes of later callers.
      thread.query('rollback', []).catch(() => {}).finally(onRelease)
    }
  }
}
