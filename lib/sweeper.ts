import type { FastifyInstance } from 'fastify'

import { LONGEST_TIMER, waitAtMost } from './deadline.js'
import { assertWholeNumber } from './options.js'

const CLOSE_LIMIT = 2_000

export interface SweepOptions {
  /** Name of the plugin, for the log and for errors. */
  name: string
  /** Milliseconds between two sweeps; 0: no sweeps. */
  sweepEvery: number
  /** Removes expired entries. Stops early when the signal aborts. */
  sweep: (signal: AbortSignal) => Promise<void>
}

/**
 * Runs `sweep` periodically, one at a time. A failure is logged and the next sweep runs as usual. Returns a function
 * that stops the sweeper and resolves when no sweep is running, or after 2 s, so that a hanging backend does not block
 * closing.
 */
export function startSweeper (app: FastifyInstance, { name, sweepEvery, sweep }: SweepOptions): () => Promise<void> {
  assertWholeNumber(name, 'sweepEvery', sweepEvery, { min: 0, max: LONGEST_TIMER, unit: 'milliseconds' })
  if (sweepEvery === 0) return async () => {}
  const stopping = new AbortController()
  let underWay: Promise<void> | null = null

  async function sweepOnce (): Promise<void> {
    try {
      await sweep(stopping.signal)
    } catch (error) {
      app.log.warn(error, `${name}: expired entries could not be removed; the next sweep retries`)
    } finally {
      underWay = null
    }
  }

  const timer = setInterval(() => { underWay ??= sweepOnce() }, sweepEvery).unref()
  return async function stop () {
    clearInterval(timer)
    stopping.abort()
    if (underWay !== null) await waitAtMost(underWay, CLOSE_LIMIT)
  }
}
