import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'

import { findBinary } from './find-binary.js'
import { freePort } from './free-port.js'
import { temporaryFolder } from './server-process.js'
import { SERVICES_OFF, withoutService } from './services.js'

export interface Balancer {
  origin: string
  /** Waits until that many instances are in use. */
  uses(count: number): Promise<void>
}

const LIMIT = 60_000

/**
 * HAProxy before those instances: it asks each for /readyz, and gives a request whose connection was refused to the
 * other. Where there
 * is none it skips the test with the reason and returns `null`; with REQUIRE_SERVICES=1 it fails instead.
 */
export async function balancer (t: Test, origins: readonly string[]): Promise<Balancer | null> {
  const binary = await findBinary('haproxy')
  if (binary === null || SERVICES_OFF) return withoutService(t, 'no haproxy on this machine')
  const [port, statsPort] = [await freePort(), await freePort()]
  const file = join(await temporaryFolder(t), 'haproxy.cfg')
  await writeFile(
    file,
    `
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 30s
  timeout check 5s
  option redispatch 1
  retries 3
frontend public
  bind 127.0.0.1:${port}
  default_backend gatehouse
backend gatehouse
  balance roundrobin
  option httpchk GET /readyz
  http-check expect status 200
  default-server check inter 200ms fall 1 rise 1
${origins.map((origin, index) => `  server instance${index} ${new URL(origin).host}`).join('\n')}
frontend stats
  bind 127.0.0.1:${statsPort}
  stats enable
  stats uri /
`
  )
  const child = spawn(binary, ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  const log = { text: '' }
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log.text += text
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })

  async function used (): Promise<number> {
    const csv = await fetch(`http://127.0.0.1:${statsPort}/;csv`).then((answer) => answer.text(), () => '')
    return csv.split('\n').filter((line) => /^gatehouse,instance\d+,.*,UP,/.test(line)).length
  }

  async function uses (count: number): Promise<void> {
    for (const deadline = Date.now() + LIMIT; await used() !== count; await sleep(20)) {
      if (Date.now() > deadline || child.exitCode !== null) {
        throw new Error(`the balancer does not use ${count} instances: ${log.text}`)
      }
    }
  }
  await uses(origins.length)
  return { origin: `http://127.0.0.1:${port}`, uses }
}
