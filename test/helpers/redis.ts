import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type t from 'tap'

import { Redis } from 'ioredis'

import { findBinary } from './find-binary.js'
import { freePort } from './free-port.js'
import { SERVICES_OFF, withoutService } from './services.js'

type Test = Pick<typeof t, 'teardown' | 'pass'>

const NONE = 'no Redis: neither TEST_REDIS_URL nor redis-server on this machine'

export interface PrivateRedis {
  url: string
  /** What all keys of this test begin with, where the server is shared. */
  prefix: string
  /** Whether `stop`, `kill`, `start`, `pause` and `resume` work: not on a shared server (TEST_REDIS_URL). */
  ownServer: boolean
  /** SIGTERM, as an administrator would; nothing is kept. */
  stop(): Promise<void>
  kill(): Promise<void>
  /** Starts it again, empty, on the same port. */
  start(): Promise<void>
  pause(): void
  resume(): void
}

/**
 * A Redis for one test on a free port, or a prefix of its own on TEST_REDIS_URL. Where neither can be had it skips
 * the test with the
 * reason and returns `null`; with REQUIRE_SERVICES=1 it fails instead.
 */
export async function privateRedis (
  test: Test,
  { args = [], needsOwn = false }: { args?: string[], needsOwn?: boolean } = {}
): Promise<PrivateRedis | null> {
  if (SERVICES_OFF) return withoutService(test, NONE)
  const shared = process.env.TEST_REDIS_URL
  if (shared !== undefined && shared !== '' && !needsOwn) return { url: shared, ...sharedRedis() }
  const binary = await findBinary('redis-server') ?? await findBinary('valkey-server')
  if (binary !== null) return await ownRedis(binary, args, test)

  return withoutService(test, NONE)
}

function sharedRedis (): Omit<PrivateRedis, 'url'> {
  const refuse = () => {
    throw new Error('A shared server is not stopped: run without TEST_REDIS_URL')
  }
  return {
    prefix: `{${crypto.randomUUID()}}:`,
    ownServer: false,
    stop: async () => refuse(),
    kill: async () => refuse(),
    start: async () => refuse(),
    pause: refuse,
    resume: refuse
  }
}

async function ownRedis (binary: string, args: readonly string[], test: Test): Promise<PrivateRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let server: ChildProcess | undefined

  async function end (signal: NodeJS.Signals) {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill('SIGCONT')
    server.kill(signal)
    await exited
  }

  async function start () {
    server = spawn(binary, ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '',
      '--appendonly', 'no', ...args], { stdio: 'ignore' })
    await answering(port)
  }

  test.teardown(async () => {
    await end('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })
  await start()
  return {
    url,
    prefix: '{gatehouse}:',
    ownServer: true,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    start,
    pause: () => {
      server?.kill('SIGSTOP')
    },
    resume: () => {
      server?.kill('SIGCONT')
    }
  }
}

/** Without the password, which a test may want: a server that refuses answers too. */
async function answering (port: number): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; await sleep(20)) {
    const client = new Redis({
      host: '127.0.0.1',
      port,
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableReadyCheck: false
    })
    client.on('error', () => {})
    const answer = await client.ping().catch((error: Error) => error)
    client.disconnect()
    if (answer === 'PONG' || (answer instanceof Error && answer.message.startsWith('NOAUTH'))) return
    if (Date.now() > deadline) throw answer
  }
}
