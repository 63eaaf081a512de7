import { spawn } from 'node:child_process'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'

import { findBinary } from './find-binary.js'
import { freePort } from './free-port.js'
import { selfSigned } from './self-signed.js'
import { temporaryFolder } from './server-process.js'
import { SERVICES_OFF, withoutService } from './services.js'

export interface PrivateNginx {
  /** By TLS, for whoever trusts `ca`. */
  origin: string
  plainOrigin: string
  ca: string
  /** The lines that it has written for requests. */
  accessLog(): Promise<string>
  /** What it has to say besides. */
  errors(): string
}

/** What becomes of the file for a test: a text or pattern that must be in it, and what stands there instead. */
export type Replacement = readonly [string | RegExp, string]

const LIMIT = 60_000

/**
 * nginx with deploy/nginx.conf before those instances: other ports, paths and addresses, and besides only what is
 * replaced. Where there is
 * none it skips the test with the reason and returns `null`; with REQUIRE_SERVICES=1 it fails instead.
 */
export async function nginx (
  t: Test,
  instances: readonly string[],
  replacements: readonly Replacement[] = []
): Promise<PrivateNginx | null> {
  const binary = await findBinary('nginx')
  if (binary === null || SERVICES_OFF) return withoutService(t, 'no nginx on this machine')
  const folder = await temporaryFolder(t)
  // Its workers are another user where it is started by root.
  await chmod(folder, 0o755)
  const [port, plainPort] = [await freePort(), await freePort()]
  const { key, cert } = selfSigned()
  const [accessLog, file] = ['access.log', 'nginx.conf'].map((name) => join(folder, name)) as [string, string]
  const text = replaced(await readFile(new URL('../../deploy/nginx.conf', import.meta.url), 'utf8'), [
    ['/run/nginx.pid', join(folder, 'nginx.pid')],
    ['/dev/stdout', accessLog],
    ['/var/cache/nginx/', `${folder}/`],
    ['/run/secrets/', `${folder}/`],
    ['worker_processes auto', 'worker_processes 1'],
    [/worker_rlimit_nofile.*\n/, ''],
    ['worker_connections 16384', 'worker_connections 1024'],
    [/(?: +server 172\.30\.77\.\d+:3000 (.*;)\n)+/, instances.map((origin) =>
      `server ${new URL(origin).host} $1\n`
    ).join('')],
    [/listen \[::\].*\n/, ''],
    ['listen 80 ', `listen 127.0.0.1:${plainPort} `],
    ['listen 443 ', `listen 127.0.0.1:${port} `],
    ...replacements
  ])
  await Promise.all([writeFile(file, text), writeFile(join(folder, 'tls_key'), key),
    writeFile(join(folder, 'tls_certificate'), cert)])

  const child = spawn(binary, ['-p', folder, '-c', file, '-g', 'daemon off;'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const log = { text: '' }
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log.text += text
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  t.teardown(async () => {
    // At once, and with its workers.
    child.kill('SIGTERM')
    await ended
  })
  const plainOrigin = `http://127.0.0.1:${plainPort}`
  for (const deadline = Date.now() + LIMIT; ; await sleep(20)) {
    if (await fetch(plainOrigin, { redirect: 'manual' }).then(() => true, () => false)) break
    if (Date.now() > deadline || child.exitCode !== null) throw new Error(`nginx does not answer: ${log.text}`)
  }
  return {
    origin: `https://127.0.0.1:${port}`,
    plainOrigin,
    ca: cert,
    accessLog: () => readFile(accessLog, 'utf8'),
    errors: () => log.text
  }
}

/** Each of them everywhere; one that is not there is a mistake. */
export function replaced (text: string, replacements: readonly Replacement[]): string {
  return replacements.reduce((result, [from, to]) => {
    const next = typeof from === 'string'
      ? result.replaceAll(from, () => to)
      : result.replace(new RegExp(from, `${from.flags}g`), to)
    if (next === result) throw new Error(`There is no ${String(from)} in the file`)
    return next
  }, text)
}
