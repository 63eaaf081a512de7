import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'

// Of the two compilers of WebAssembly the one that is done at once: the embedded database starts in half the time,
// and answers the same.
const FLAGS = ['--liftoff-only']

/**
 * Node.js with this environment alone. The test runner would put hooks of its own into that of every child, which
 * cost as much as a
 * start itself; `env` leaves them out.
 */
export function spawnLoneNode (
  args: readonly string[],
  environment: Readonly<Record<string, string>>
): ChildProcessWithoutNullStreams {
  const given = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  const [command = '', ...words] = [...(process.platform === 'win32' ? [] : ['env', '-i', ...given]), process.execPath,
    ...FLAGS, ...args]
  return spawn(command, words, { env: environment, stdio: 'pipe' })
}
