import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { Test } from 'tap'

import { findBinary } from './find-binary.js'
import { temporaryFolder } from './server-process.js'
import { SERVICES_OFF, withoutService } from './services.js'

/** `body`, `headers` and `answer` are what is sent or read slowly. */
export type Slowness = 'body' | 'headers' | 'answer'

export interface SlowAttack {
  slow: Slowness
  url: string
  connections: number
  /** New connections a second. */
  rate: number
  /** Seconds between two bits. */
  interval: number
  /** The longest that it lasts, seconds. */
  duration: number
}

export interface SlowOutcome {
  /** Seconds in which the program's own probe had no answer within 3 s. */
  unavailable: number
  /** How many connections it had at most. */
  connected: number
  /** Why it ended: `No open connections left` if the server has closed all of them. */
  ended: string
}

const MODES: Readonly<Record<Slowness, readonly string[]>> = {
  body: ['-B', '-f', 'application/json', '-x', '10'],
  headers: ['-H', '-x', '10'],
  // A window of some bytes, of which five are read a second, and an answer that is asked for several times.
  answer: ['-X', '-w', '1', '-y', '512', '-z', '5', '-k', '3']
}

/**
 * Runs slowhttptest. Where there is none it skips the test with the reason and returns `null`; with
 * REQUIRE_SERVICES=1 it fails instead.
 */
export async function slowHttpTest (t: Test): Promise<((attack: SlowAttack) => Promise<SlowOutcome>) | null> {
  const binary = await findBinary('slowhttptest')
  if (binary === null || SERVICES_OFF) return withoutService(t, 'no slowhttptest on this machine')
  const folder = await temporaryFolder(t)
  let runs = 0

  return async function attack ({ slow, url, connections, rate, interval, duration }) {
    const report = join(folder, String(++runs))
    const every = slow === 'answer' ? '-n' : '-i'
    const child = spawn(binary, [
      ...MODES[slow],
      '-u',
      url,
      '-c',
      String(connections),
      '-r',
      String(rate),
      every,
      String(interval),
      '-p',
      '3',
      '-l',
      String(duration),
      '-g',
      '-o',
      report
    ], { stdio: ['ignore', 'pipe', 'ignore'] })
    t.teardown(() => {
      child.kill('SIGKILL')
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    await once(child, 'close')
    // Seconds, closed, pending, connected, and as many as there are connections if the service was available, else
    // none.
    const seconds = (await readFile(`${report}.csv`, 'utf8')).trim().split('\n').slice(1).map((line) =>
      line.split(',').map(Number)
    )
    return {
      unavailable: seconds.filter((row) => row[4] === 0).length,
      connected: Math.max(...seconds.map((row) => row[3] ?? 0)),
      ended: /Exit status: *([^\n]*)/.exec(stripVTControlCharacters(output))?.[1]?.trim() ?? output
    }
  }
}

/** How many sockets of clients a server on this machine has open on a port, by the tables of the system. */
export async function openSockets (port: number): Promise<number> {
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')))
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  // Established, and those whose client alone has hung up; who was closed here may still have unread bytes of its own.
  return tables.join('').split('\n').map((line) => line.trim().split(/\s+/)).filter(([, address, , state]) =>
    address?.endsWith(local) === true && ['01', '08'].includes(state ?? '')
  ).length
}
