import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type t from 'tap'

import { Redis } from 'ioredis'

import { findBinary } from './find-binary.js'
import { freePort } from './free-port.js'
import { ownProcess, sharedProcess } from './own-process.js'
import type { ServerControls } from './own-process.js'
import { SERVICES_OFF, withoutService } from './services.js'

type Test = Pick<typeof t, 'teardown' | 'pass'>

const NONE = 'no Redis: neither TEST_REDIS_URL nor redis-server on this machine'

/** `start` starts it again, empty, on the same port. */
export interface PrivateRedis extends ServerControls {
  url: string
  /** What all keys of this test begin with, where the server is shared. */
  prefix: string
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
  if (shared !== undefined && shared !== '' && !needsOwn) {
    return { url: shared, prefix: `{${crypto.randomUUID()}}:`, ...sharedProcess('TEST_REDIS_URL') }
  }
  const binary = await findBinary('redis-server') ?? await findBinary('valkey-server')
  if (binary !== null) return await ownRedis(binary, args, test)

  return withoutService(test, NONE)
}

async function ownRedis (binary: string, args: readonly string[], test: Test): Promise<PrivateRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const controls = ownProcess(
    binary,
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no', ...args],
    () => answering(port)
  )
  test.teardown(async () => {
    await controls.kill()
    await rm(folder, { recursive: true, force: true })
  })
  await controls.start()
  return { url, prefix: '{gatehouse}:', ...controls }
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
