// The time from the start of the built-in server until it is ready, for the first time and again on the same data.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { freePort } from '../../test/helpers/free-port.js'
import { privatePostgres } from '../../test/helpers/postgres.js'
import { spreadOf } from '../routes/figures.js'
import { processorTime } from '../rounds.js'

interface Start {
  /** Milliseconds until `/readyz` responds with 200. */
  elapsed: number
  /** Processor time of the process until then, in milliseconds. */
  processor: number
  /** Resident memory then, in megabytes. */
  memory: number
}

const CLI = fileURLToPath(new URL('../../dist/server/cli.js', import.meta.url))
/** Maximum duration of a start, in milliseconds. */
const PATIENCE = 120_000

export async function startTable (rounds: number): Promise<string[]> {
  const rows: Array<[string, Start[]]> = [['PGlite, first', []], ['PGlite, again', []]]
  const postgres: Array<[string, Start[]]> = [['PostgreSQL, first', []], ['PostgreSQL, again', []]]
  for (let round = 0; round < rounds; round++) {
    await startTwice(rows, {})
    await withDatabase(async (url) => {
      await startTwice(postgres, { DATABASE_URL: url })
    })
  }
  const measured = [...rows, ...postgres].filter(([, starts]) => starts.length > 0)
  return [
    '| start | elapsed, ms | processor time, ms | memory, MB |',
    '| --- | ---: | ---: | ---: |',
    ...measured.map(([name, starts]) => {
      const middle = (of: (start: Start) => number) => spreadOf(starts.map(of)).median.toFixed(0)
      const cells = [middle(({ elapsed }) => elapsed), middle(({ processor }) => processor)]
      return `| ${[name, ...cells, middle(({ memory }) => memory)].join(' | ')} |`
    })
  ]
}

/** Without PostgreSQL on this machine, `work` is not called. */
async function withDatabase (work: (url: string) => Promise<void>): Promise<void> {
  const endings: Array<() => unknown> = []
  const test = { teardown: (ending: () => unknown) => endings.push(ending), pass: () => {} }
  const database = await privatePostgres(test as unknown as Parameters<typeof privatePostgres>[0])
  try {
    if (database !== null) await work(database.url)
  } finally {
    for (const ending of endings.reverse()) await ending()
  }
}

async function startTwice (rows: ReadonlyArray<[string, Start[]]>, env: Record<string, string>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'weight-'))
  try {
    for (const [, starts] of rows) starts.push(await measureStart({ ...env, DATA_DIR: folder }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function measureStart (env: Record<string, string>): Promise<Start> {
  const port = await freePort()
  const began = performance.now()
  const child = spawn(process.execPath, [CLI, 'start'], {
    env: { ...process.env, ...env, PORT: String(port), NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const exited = once(child, 'exit')
  try {
    while (!await isReady(port)) {
      if (child.exitCode !== null || performance.now() - began > PATIENCE) throw new Error('The server did not start')
      await sleep(10)
    }
    const elapsed = performance.now() - began
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    const memory = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024
    return { elapsed, processor: processorTime({ process: child }), memory }
  } finally {
    child.kill('SIGTERM')
    await exited
  }
}

function isReady (port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(({ ok }) => ok, () => false)
}
