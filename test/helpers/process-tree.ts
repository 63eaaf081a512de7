import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PATIENCE = 1_000

/** The processes that this one started and that are still there. */
export async function childrenOf (pid: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-o', 'pid=,ppid=', '-A'])
  return stdout.trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number)).flatMap(([child, parent]) =>
    parent === pid && child !== undefined ? [child] : []
  )
}

export function signalAll (pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch {} // it went by itself, having noticed that its parent is gone
  }
}

export async function untilGone (pids: readonly number[]): Promise<void> {
  for (const deadline = Date.now() + PATIENCE; Date.now() < deadline; await sleep(10)) {
    const there = await Promise.all(pids.map(runs))
    if (!there.includes(true)) return
  }
}

/** In a container nobody may reap what has lost its parent: then it is there for ever, ended as it is. */
async function runs (pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return !/^\d+ \(.*\) Z/.test(stat)
}
