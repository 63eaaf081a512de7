import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

import { Agent, request } from 'undici'

import type { ServerProcess } from './server-process.js'

const run = promisify(execFile)
const PAUSE = 50

export interface Health {
  /** How often /healthz was asked. */
  asked: number
  /** Answers other than 200, and none at all. */
  failed: number
  /** Milliseconds. */
  median: number
  slowest: number
  /** By how much the memory of the process grew at most, MB. */
  growth: number
}

/**
 * Asks /healthz again and again on a connection of its own, and looks at the memory of the process; the function ends
 * that.
 */
export function watchHealth ({ origin, pid }: Pick<ServerProcess, 'origin' | 'pid'>): () => Promise<Health> {
  const agent = new Agent({ connections: 1, pipelining: 1 })
  const times: number[] = []
  const sizes: number[] = []
  let failed = 0
  const state = { going: true }

  async function ask (): Promise<void> {
    const start = performance.now()
    const status = await request(`${origin}/healthz`, { dispatcher: agent }).then(async ({ statusCode, body }) => {
      await body.dump()
      return statusCode
    }, () => 0)
    if (status !== 200) failed++
    times.push(performance.now() - start)
  }

  const watching = (async () => {
    while (state.going) {
      await ask()
      if (times.length % 10 === 1) sizes.push(await residentSize(pid))
      await sleep(PAUSE)
    }
  })()

  return async function end () {
    state.going = false
    await watching
    await agent.destroy()
    times.sort((a, b) => a - b)
    return {
      asked: times.length,
      failed,
      median: Math.round(times[times.length >> 1] ?? Infinity),
      slowest: Math.round(times.at(-1) ?? Infinity),
      growth: Math.round(Math.max(...sizes) - (sizes[0] ?? 0))
    }
  }
}

/** Megabytes. */
async function residentSize (pid: number): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)])
  return Number(stdout) / 1024
}
