import type { FastifyInstance } from 'fastify'

import { waitAtMost } from './deadline.js'
import { assertWholeNumber } from './options.js'

const LONGEST_TIMER = 2 ** 31 - 1
const CLOSE_LIMIT = 2_000

export interface SweepOptions {
  /** The plugin, for the log and for errors. */
  name: string
  /** Milliseconds from one sweep to the next; 0: never. */
  sweepEvery: number
  /** Ends early on the signal. */
  sweep: (signal: AbortSignal) => Promise<void>
}

/**
 * Sweeps from time to time, one sweep at a time; one that fails is logged and tried again. Returns what stops it, which resolves
 * once none is under way any more, or after 2 s: a backend that hangs must not hold up the end.
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
      app.log.warn(error, `${name}: expired entries could not be removed; this is tried again`)
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
