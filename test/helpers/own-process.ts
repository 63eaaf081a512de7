import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

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
    },
    resume: () => {
      server?.kill('SIGCONT')
    }
  }
}

/** Returns the controls of a shared server, which throw. `variable` names the variable with its URL. */
export function sharedProcess (variable: string): ServerControls {
  const refuse = (): never => {
    throw new Error(`A shared server is not stopped: run without ${variable}`)
  }
  return { ownServer: false, stop: refuse, kill: refuse, start: refuse, pause: refuse, resume: refuse }
}
