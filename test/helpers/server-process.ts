import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type t from 'tap'

import { builtCli } from './built-server.js'
import { freePort } from './free-port.js'
import { spawnLoneNode } from './lone-node.js'

type Test = Pick<typeof t, 'teardown'>
export type Variables = Record<string, string>

export interface ServerProcess {
  /** Such as `http://127.0.0.1:40123`. */
  origin: string
  pid: number
  /** What it has printed, logs included. */
  stdout(): string
  stderr(): string
  /** Milliseconds from the start to the line that says where it listens. */
  startTime: number
  signal(name: NodeJS.Signals): void
  /** Resolves when the process has ended, however it did. */
  ended: Promise<Ended>
  /** SIGKILL, as `kill -9` does. */
  kill(): Promise<Ended>
  /** SIGTERM. */
  stop(): Promise<Ended>
}

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  /** Milliseconds from the start of the process. */
  after: number
}

const START_LIMIT = 120_000

/** A folder for one test, removed after it. */
export async function temporaryFolder (test: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-'))
  test.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/**
 * Starts the built-in server on a port that it can be started on again, and waits until it listens; killed after the
 * test if it is still there.
 */
export async function startServerProcess (
  test: Test,
  dataDir: string,
  variables: Variables = {}
): Promise<ServerProcess> {
  const program = await runProgram(test, ['start'], { DATA_DIR: dataDir, PORT: String(await freePort()), ...variables })
  const origin = await announced(program)
  return { ...program, origin, startTime: program.age() }
}

export type Program = Omit<ServerProcess, 'origin' | 'startTime'> & { age(): number }

/** Runs the program with nothing of this environment but the path. */
export async function runProgram (
  test: Test,
  args: readonly string[],
  variables: Variables = {},
  input?: string
): Promise<Program> {
  const cli = await builtCli()
  const start = performance.now()
  const child = spawnLoneNode([cli, ...args], { PATH: process.env.PATH ?? '', ...variables })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  child.stdin.on('error', () => {}).end(input)
  const age = () => performance.now() - start
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, after: age() }) as Ended)
  const send = (name: NodeJS.Signals) => end(child, name, ended)
  test.teardown(() => send('SIGKILL'))
  return {
    pid: child.pid ?? 0,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    age,
    signal: (name) => {
      child.kill(name)
    },
    ended,
    kill: () => send('SIGKILL'),
    stop: () => send('SIGTERM')
  }
}

function end (child: ChildProcess, name: NodeJS.Signals, ended: Promise<Ended>): Promise<Ended> {
  child.kill(name)
  return ended
}

async function announced (program: Program): Promise<string> {
  let over = false
  program.ended.then(() => {
    over = true
  })
  while (program.age() < START_LIMIT) {
    const origin = /^fastify-gatehouse listens on (\S+)$/m.exec(program.stdout())?.[1]
    if (origin !== undefined && /\n$/.test(program.stdout())) return origin
    if (over) throw new Error(`The server ended before it listened:\n${program.stdout()}${program.stderr()}`)
    await sleep(10)
  }
  throw new Error(`The server did not listen within ${START_LIMIT} ms:\n${program.stdout()}${program.stderr()}`)
}
