import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'

/** The controls of a server process. */
export interface ServerControls {
  /** Whether the controls work: not on a shared server. */
  ownServer: boolean
  /** SIGTERM, as an administrator would. */
  stop(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  start(): Promise<void>
  /** SIGSTOP: the server accepts connections and answers nothing. */
  pause(): void
  resume(): void
}

/** Returns the controls of a server that a test starts; `answering` resolves when the server accepts commands. */
export function ownProcess (
  binary: string,
  args: readonly string[],
  answering: () => Promise<void>
): ServerControls {
  let server: ChildProcess | undefined

  async function end (signal: NodeJS.Signals): Promise<void> {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill(signal)
    // A paused process does not act on another signal.
    server.kill('SIGCONT')
    await exited
  }

  return {
    ownServer: true,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async start () {
      server = spawn(binary, args, { stdio: 'ignore' })
      await answering()
    },
    pause: () => {
      server?.kill('SIGSTOP')
      if (server?.pid !== undefined) waitUntilStopped(server.pid)
    },
    resume: () => {
      server?.kill('SIGCONT')
    }
  }
}

/** Waits until no thread of a process runs: the signal takes effect later than `kill` returns. Linux alone tells. */
function waitUntilStopped (pid: number): void {
  const deadline = Date.now() + 5_000
  const isStopped = (thread: string) =>
    /^\d+ \(.*\) [TtZX] /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'))
  try {
    while (!readdirSync(`/proc/${pid}/task`).every(isStopped) && Date.now() < deadline);
  } catch {
    // The process, a thread of it or the folder does not exist.
  }
}

/** Returns the controls of a shared server, which throw. `variable` names the variable with its URL. */
export function sharedProcess (variable: string): ServerControls {
  const refuse = (): never => {
    throw new Error(`A shared server is not stopped: run without ${variable}`)
  }
  return { ownServer: false, stop: refuse, kill: refuse, start: refuse, pause: refuse, resume: refuse }
}
