// The built-in server in a process of its own that measures itself: the message `start` begins a measurement, `end`
// answers with its figures.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

import { readConfig } from '../server/config/index.js'
import { startServer } from '../server/start.js'
import { serve } from './serve.js'

export interface Cost {
  /** User and system time of the whole process including its threads, in milliseconds. */
  processor: number
  /** The longest time that the event loop was blocked, in milliseconds. */
  blocked: number
}

/** Milliseconds between two checks of the event loop. */
const RESOLUTION = 1

const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
let before = process.cpuUsage()

process.on('message', (message) => {
  if (message === 'start') {
    // Garbage of earlier requests must not count for the next one.
    globalThis.gc?.()
    delay.enable()
    delay.reset()
    before = process.cpuUsage()
    process.send?.(performance.now())
    return
  }
  const { user, system } = process.cpuUsage(before)
  const cost: Cost = { processor: (user + system) / 1_000, blocked: Math.max(0, delay.max / 1e6 - RESOLUTION) }
  delay.disable()
  process.send?.(cost)
})

await serve({
  async 'built-in' () {
    const { origin } = await startServer(readConfig(process.env), { print: () => {} })
    return Number(new URL(origin).port)
  }
})
