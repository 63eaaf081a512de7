// Shared code of the benchmarks: servers in separate processes, a PostgreSQL for the run, interleaved rounds and
// medians.
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { cpus } from 'node:os'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

import { privateNats } from '../test/helpers/nats.js'
import { privatePostgres } from '../test/helpers/postgres.js'
import { privateRedis } from '../test/helpers/redis.js'

export const ROUNDS = Number(process.env.ROUNDS ?? 5)
export const SECONDS = Number(process.env.DURATION ?? 5)
export const CONNECTIONS = (process.env.CONNECTIONS ?? '64').split(',').map(Number)

/** Clock ticks per second of `/proc/<pid>/stat`: 100 on every Linux architecture that Node.js runs on. */
const TICKS = 100

export interface Round {
  rate: number
  /** Number of responses. */
  requests?: number
  p50: number
  p99: number
  failed: number
}
export interface Server {
  port: number
  process: ChildProcess
  stop: () => void
}

/**
 * `file`: the file of the server, relative to this folder or as a URL; `cwd`: the checkout whose packages it uses;
 * `flags`: more flags of Node.js.
 */
export async function startServer (
  variant: string,
  env: Record<string, string> = {},
  { file = 'server.ts', args = [] as string[], cwd = process.cwd(), flags = [] as string[] } = {}
): Promise<Server> {
  const execArgv = [...process.execArgv, '--expose-gc', ...flags]
  const server = fork(new URL(file, import.meta.url), [variant, ...args], {
    execArgv,
    env: { ...process.env, ...env },
    cwd
  })
  const exited = once(server, 'exit').then(() => { throw new Error(`The server "${variant}" did not start`) })
  const [port] = await Promise.race([once(server, 'message'), exited]) as [number]
  // A server that is stopped later has started.
  exited.catch(() => {})
  return { port, process: server, stop: () => server.kill('SIGKILL') }
}

/** User and system time of the server process, with its threads and child processes, in milliseconds. */
export function processorTime (server: Parameters<typeof processorTimes>[0]): number {
  const { user, system } = processorTimes(server)
  return user + system
}

/** As `processorTime`, separately (proc(5), fields 14 and 15 of `stat`). */
export function processorTimes ({ process: { pid } }: { process: Pick<ChildProcess, 'pid'> }): { user: number, system: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const times = { user: Number(fields[11]) * 1_000 / TICKS, system: Number(fields[12]) * 1_000 / TICKS }
  for (const child of childrenOf(pid)) {
    const { user, system } = processorTimes({ process: { pid: child } })
    times.user += user
    times.system += system
  }
  return times
}

/** The running child processes, such as the workers of nginx. */
function childrenOf (pid: number | undefined): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}

/** Resident memory of the server process, in megabytes. */
export function residentMegabytes ({ process: { pid } }: Parameters<typeof processorTimes>[0]): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024)
}

/** Starts a PostgreSQL with fsync and synchronous_commit on, passes its URL to `work` and stops it afterwards. */
export async function withPostgres (work: (url: string) => Promise<void>): Promise<void> {
  await withServer(privatePostgres, 'PostgreSQL: install it, or set TEST_DATABASE_URL', work)
}

/** Starts a Redis, passes its URL to `work` and stops it afterwards. */
export async function withRedis (work: (url: string) => Promise<void>): Promise<void> {
  await withServer(privateRedis, 'Redis: install it, or set TEST_REDIS_URL', work)
}

/** Starts a NATS broker with file-based JetStream, passes its URL to `work` and stops it afterwards. */
export async function withNats (work: (url: string) => Promise<void>): Promise<void> {
  await withServer(privateNats, 'NATS: install nats-server, or set TEST_NATS_URL', work)
}

type Test = Parameters<typeof privatePostgres>[0]

async function withServer (
  create: (test: Test) => Promise<{ url: string } | null>,
  needed: string,
  work: (url: string) => Promise<void>
): Promise<void> {
  const endings: Array<() => unknown> = []
  // The part of a test object that the helper uses.
  const run = { teardown: (ending: () => unknown) => endings.push(ending), pass: () => {} }
  const server = await create(run as unknown as Test)
  if (server === null) throw new Error(`This bench needs ${needed}`)
  try {
    await work(server.url)
  } finally {
    for (const ending of endings.reverse()) await ending()
  }
}

/** Runs each variant once per round, so that a temporary slowdown of the machine affects all variants. */
export async function interleaved (
  variants: readonly string[],
  round: (variant: string) => Promise<Round>
): Promise<Map<string, Round>> {
  const rounds = new Map<string, Round[]>(variants.map((variant) => [variant, []]))
  for (let at = 0; at < ROUNDS; at++) for (const [variant, results] of rounds) results.push(await round(variant))
  return new Map([...rounds].map(([variant, results]) => [variant, {
    rate: median(results.map(({ rate }) => rate)),
    p50: median(results.map(({ p50 }) => p50)),
    p99: median(results.map(({ p99 }) => p99)),
    failed: results.reduce((sum, { failed }) => sum + failed, 0)
  }]))
}

export function describeMachine (): string {
  return `${describeHost()}, median of ${ROUNDS} rounds of ${SECONDS} s`
}

export function describeHost (): string {
  return `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`
}

function median (values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN
}
