import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, chown, mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { ChildProcess } from 'node:child_process'
import type t from 'tap'

import pg from 'pg'

import { freePort } from './free-port.js'
import { childrenOf, signalAll, untilGone } from './process-tree.js'
import { SERVICES_OFF, withoutService } from './services.js'

type Test = Pick<typeof t, 'teardown' | 'pass'>

const NONE = 'no PostgreSQL: neither TEST_DATABASE_URL nor initdb and postgres on this machine'

export interface PrivatePostgres {
  /** With a schema of its own when the server is shared. */
  url: string
  /** Whether the other methods work: not on a shared server (TEST_DATABASE_URL). */
  ownServer: boolean
  /** A fast shutdown, as an administrator would. */
  stop(): Promise<void>
  /** SIGKILL to the server and everything it started, as a crash of the machine's PostgreSQL would. */
  kill(): Promise<void>
  start(): Promise<void>
  /** SIGSTOP to the server and everything it started: connections stay, are even made, and nothing answers. */
  pause(): Promise<void>
  resume(): Promise<void>
}

export interface PostgresPreparation {
  /**
   * Writes files into the data folder before the server starts; resolves with more arguments for it. Such a server is
   * never a shared one.
   */
  prepare?(data: string): Promise<string[]>
}

const run = promisify(execFile)

/**
 * A PostgreSQL for one test: on a free port in a temporary folder, with fsync on; or a schema of its own on
 * TEST_DATABASE_URL.
 * Where neither can be had it skips the test with the reason and returns `null`; with REQUIRE_SERVICES=1 it fails
 * instead.
 */
export async function privatePostgres (
  test: Test,
  { prepare }: PostgresPreparation = {}
): Promise<PrivatePostgres | null> {
  if (SERVICES_OFF) return withoutService(test, NONE)
  const shared = process.env.TEST_DATABASE_URL
  if (shared !== undefined && shared !== '' && prepare === undefined) return await schemaOn(shared, test)
  const binaries = await findBinaries()
  if (binaries !== null) return await ownServer(binaries, test, prepare)

  return withoutService(test, NONE)
}

async function schemaOn (shared: string, test: Test): Promise<PrivatePostgres> {
  const url = await newSchema(shared, test)
  const refuse = () => Promise.reject(new Error('A shared server is not stopped: run without TEST_DATABASE_URL'))
  return { url, ownServer: false, stop: refuse, kill: refuse, start: refuse, pause: refuse, resume: refuse }
}

/** The URL of a schema that goes with the test, which serves as an empty database. */
export async function newSchema (server: string, test: Pick<Test, 'teardown'>): Promise<string> {
  const schema = `test_${randomBytes(6).toString('hex')}`
  await once(server, `create schema ${schema}`)
  test.teardown(() => once(server, `drop schema ${schema} cascade`))
  const url = new URL(server)
  url.searchParams.set('options', `-c search_path=${schema}`)
  return url.href
}

async function ownServer (
  binaries: string,
  test: Test,
  prepare: PostgresPreparation['prepare'] = async () => []
): Promise<PrivatePostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'))
  const data = join(folder, 'data')
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const asOwner = await owner(folder)
  let server: ChildProcess | undefined
  let more: string[] = []

  async function stop () {
    if (!runs(server)) return
    const exited = new Promise((resolve) => server?.once('exit', resolve))
    await run(...asOwner(join(binaries, 'pg_ctl'), ['-D', data, '-m', 'fast', '-w', 'stop']))
    await exited
  }

  async function kill () {
    if (!runs(server)) return
    const exited = new Promise((resolve) => server?.once('exit', resolve))
    const pids = await processes()
    signalAll(pids, 'SIGKILL')
    wake()
    await exited
    await untilGone(pids)
  }

  async function pause () {
    // The one that starts others first.
    const [postmaster = 0] = await processes()
    signalAll([postmaster], 'SIGSTOP')
    signalAll(await childrenOf(postmaster), 'SIGSTOP')
  }

  async function resume () {
    signalAll((await processes()).reverse(), 'SIGCONT')
    wake()
  }

  // `runuser` stops itself when what it runs is stopped, and would not even notice its end.
  function wake () {
    server?.kill('SIGCONT')
  }

  async function processes (): Promise<number[]> {
    const postmaster = Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0])
    return [postmaster, ...await childrenOf(postmaster)]
  }

  async function start () {
    server = spawn(
      ...asOwner(join(binaries, 'postgres'), ['-D', data, '-p', String(port), '-k', folder, '-c',
        'listen_addresses=127.0.0.1', ...more]),
      { stdio: 'ignore' }
    )
    await answering(url)
  }

  test.teardown(async () => {
    await kill()
    await rm(folder, { recursive: true, force: true })
  })
  await run(
    ...asOwner(join(binaries, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'])
  )
  more = await prepare(data)
  await run('chown', ['-R', '--reference', data, data])
  await start()
  return { url, ownServer: true, stop, kill, start, pause, resume }
}

/** PostgreSQL refuses to run as root: then everything goes through the `postgres` user, who gets the folder. */
async function owner (folder: string): Promise<(file: string, args: string[]) => [string, string[]]> {
  if (process.getuid?.() !== 0) return (file, args) => [file, args]
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'postgres'])).stdout))
  )
  await chown(folder, uid ?? 0, gid ?? 0)
  return (file, args) => ['runuser', ['-u', 'postgres', '--', file, ...args]]
}

async function findBinaries (): Promise<string | null> {
  const packaged = '/usr/lib/postgresql'
  const versions = await readdir(packaged).catch((): string[] => [])
  const folders = versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(packaged, version, 'bin'))
  for (const folder of [...folders, ...(process.env.PATH ?? '').split(delimiter)]) {
    const all = ['initdb', 'postgres', 'pg_ctl'].map((name) => access(join(folder, name)))
    if (await Promise.all(all).then(() => true, () => false)) return folder
  }
  return null
}

function runs (server: ChildProcess | undefined): boolean {
  return server !== undefined && server.exitCode === null && server.signalCode === null
}

async function answering (url: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; ; await sleep(50)) {
    const answered = await once(url, 'select 1').then(() => true, (error: Error) => error)
    if (answered === true) return
    if (Date.now() > deadline) throw answered
  }
}

async function once (url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  // A server that goes away while this connection closes is not this helper's business.
  client.on('error', () => {})
  await client.connect()
  await client.query(sql).finally(() => client.end())
}
