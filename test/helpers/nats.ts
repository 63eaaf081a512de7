import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type t from 'tap'

import { connect } from '@nats-io/transport-node'

import { findBinary } from './find-binary.js'
import { freePort } from './free-port.js'
import { ownProcess, sharedProcess } from './own-process.js'
import type { ServerControls } from './own-process.js'
import { SERVICES_OFF, withoutService } from './services.js'

type Test = Pick<typeof t, 'teardown' | 'pass'>

const NONE = 'no NATS: neither TEST_NATS_URL nor nats-server on this machine'

export interface PrivateNats extends ServerControls {
  url: string
}

export interface NatsSettings {
  /** More of the configuration file, such as `max_payload: 1000`. */
  configuration?: string
  /** Where that has it use TLS: the certificate that it can be known by. */
  ca?: string
  /** Whether its users have JetStream. Default: `true`. */
  jetstream?: boolean
  /** For a test that stops it: never a shared one. */
  needsOwn?: boolean
}

/**
 * A NATS broker for one test, with JetStream in a temporary folder, on a free port; or TEST_NATS_URL. Where neither
 * can be had it skips
 * the test with the reason and returns `null`; with REQUIRE_SERVICES=1 it fails instead.
 */
export async function privateNats (test: Test, settings: NatsSettings = {}): Promise<PrivateNats | null> {
  if (SERVICES_OFF) return withoutService(test, NONE)
  const shared = process.env.TEST_NATS_URL
  if (shared !== undefined && shared !== '' && settings.configuration === undefined && settings.needsOwn !== true) {
    return { url: shared, ...sharedProcess('TEST_NATS_URL') }
  }
  const binary = await findBinary('nats-server')
  if (binary !== null) return await ownServer(test, binary, settings)

  return withoutService(test, NONE)
}

async function ownServer (
  test: Test,
  binary: string,
  { configuration = '', jetstream = true, ca }: NatsSettings
): Promise<PrivateNats> {
  const folder = await mkdtemp(join(tmpdir(), 'nats-'))
  const port = await freePort()
  const url = `nats://127.0.0.1:${port}`
  const file = join(folder, 'nats.conf')
  await writeFile(file, `listen: 127.0.0.1:${port}\njetstream { store_dir: "${folder}" }\n${configuration}\n`)
  const controls = ownProcess(binary, ['-c', file], () => answering(port, jetstream, ca))
  test.teardown(async () => {
    await controls.kill()
    await rm(folder, { recursive: true, force: true })
  })
  await controls.start()
  return { url, ...controls }
}

/** Until it has read its streams, after which alone they can be asked for. */
async function answering (port: number, jetstream: boolean, ca: string | undefined): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; await sleep(20)) {
    const refused = await ask(port, ca).then(() => null, (error: Error) => error)
    // A broker that wants credentials is up.
    if (refused === null || (jetstream ? /authorization/i : /no responders/i).test(refused.message)) return
    if (Date.now() > deadline) throw refused
  }
}

async function ask (port: number, ca: string | undefined): Promise<void> {
  const connection = await connect({
    servers: `127.0.0.1:${port}`,
    reconnect: false,
    timeout: 1_000,
    ...(ca === undefined ? {} : { tls: { ca } })
  })
  try {
    await connection.request('$JS.API.INFO', '', { timeout: 1_000 })
  } finally {
    await connection.close()
  }
}
