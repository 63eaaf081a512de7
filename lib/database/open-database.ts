import { resolve } from 'node:path'

import type { Kysely, PostgresPool } from 'kysely'

import { withDeadline } from '../deadline.js'
import { refuseUnknownMembers } from '../options.js'
import type { KnownOptions } from '../options.js'
import { importOptional } from '../optional-package.js'
import { connectionProblem } from './connection-problem.js'
import { lockFolder } from './pglite/folder-lock.js'
import { listReads } from './list/reads.js'
import type { ListReads } from './list/reads.js'
import type { Migration } from './migrator.js'
import { openPgdata } from './pglite/pgdata.js'
import { createPglitePool } from './pglite/pool.js'
import { startPgliteThread } from './pglite/thread.js'
import { copierOf } from './postgres/copy.js'
import { createPostgresPools, LIST_CONNECTIONS } from './postgres/pool.js'
import type { PgdataStep } from './pglite/pgdata.js'
import type { PostgresPoolOptions } from './postgres/pool.js'
import type { CopyPart, PostgresPoolSlice } from './postgres/pool-slice.js'
import type { DatabaseSchema } from './schema.js'

const READY_LIMIT = 2_000

/** What an acknowledged write outlives: nothing, the death of the process, or a power cut. */
export type Durability = 'none' | 'process' | 'disk'

export interface Database {
  db: Kysely<DatabaseSchema>
  /** The same database without the time limits of a server's pool, for clean-up, which nobody waits for; a pool that was given has its own. */
  patient: Kysely<DatabaseSchema>
  /** The statements of lists: a server has connections of their own for them, the embedded database does them one at a time and behind all else. */
  lists: ListReads
  kind: 'pglite' | 'postgres'
  durability: Durability
  /** Copies rows into tables, all or none; `null` where only statements can write, as in the embedded database. */
  copy: ((parts: readonly CopyPart[]) => Promise<void>) | null
  /** Resolves when the database answers; rejects when it fails or says nothing for 2 s. */
  ready (): Promise<void>
  /** Lets the query that runs finish, then closes what `openDatabase` opened. A pool that was given stays open. */
  close (): Promise<void>
}

export type DatabaseStep = PgdataStep | 'migrating'

export interface OpenDatabaseOptions {
  /** Told what is being done: making a new embedded database takes some seconds. Default: nobody. */
  onProgress?: (step: DatabaseStep) => void
  /** @internal */
  migrations?: Record<string, Migration>
}

/** Where the data lives: a folder for the embedded database, a server by URL, a pool of `pg` made by the caller, or memory. */
export type DatabaseLocation =
  | { dataDir: string }
  | PostgresPoolOptions
  | { pool: PostgresPoolSlice }
  | { memory: true }

const OF_ANY: KnownOptions<OpenDatabaseOptions> = { onProgress: true, migrations: true }
const OF_URL: KnownOptions<PostgresPoolOptions> = { url: true, maxConnections: true, queryTimeout: true, onIdleError: true, onWarning: true }

interface Opened {
  pool: PostgresPoolSlice
  patient: PostgresPoolSlice
  lists: { pool: PostgresPoolSlice, atOnce: number }
  kind: Database['kind']
  durability: Durability
  close: () => Promise<void>
}

/**
 * Opens a database and brings its tables up to date. Whatever fails, nothing stays open or locked.
 *
 * @throws {FolderLocked} when another live process holds `dataDir`; an Error that says what to do when the data is damaged, was made
 *   by a newer version, cannot be reached, or a package is missing
 */
export async function openDatabase (options: DatabaseLocation & OpenDatabaseOptions): Promise<Database> {
  refuseUnknownMembers('openDatabase', '', options, { ...knownOf(options), ...OF_ANY })
  const { Kysely, PostgresDialect } = await importOptional('kysely', () => import('kysely'), 'A database')
  const [{ migrate }, { inspectPostgres }] = await Promise.all([import('./migrate.js'), import('./postgres/inspect.js')])
  const onProgress = options.onProgress ?? (() => {})

  const { pool, patient: patientPool, lists, kind, durability, close } = await open(options, onProgress)
  try {
    // The slice leaves out cursors, which only `stream()` would use.
    const kysely = (pool: PostgresPoolSlice) => new Kysely<DatabaseSchema>({ dialect: new PostgresDialect({ pool: pool as PostgresPool }) })
    const db = kysely(pool)
    const patient = pool === patientPool ? db : kysely(patientPool)
    const listed = listReads(pool === lists.pool ? db : kysely(lists.pool), lists.atOnce)
    const promised = kind === 'postgres' ? await inspectPostgres(patient) : durability
    onProgress('migrating')
    await migrate(patient, options.migrations)
    const copy = kind === 'postgres' ? await copierOf(pool) : null
    let closed: Promise<void> | undefined
    return { db, patient, lists: listed, kind, durability: promised, copy, ready: readiness(pool), close: () => (closed ??= close()) }
  } catch (error) {
    await close()
    throw error
  }
}

/** The options that name the place of the data, one kind of place only. */
function knownOf (options: DatabaseLocation): KnownOptions<object> {
  if ('pool' in options) return { pool: true }
  if ('url' in options) return OF_URL
  if ('dataDir' in options) return { dataDir: true }
  return 'memory' in options ? { memory: true } : { dataDir: true, ...OF_URL, pool: true, memory: true }
}

async function open (options: DatabaseLocation, onProgress: (step: DatabaseStep) => void): Promise<Opened> {
  if ('pool' in options) {
    const { pool } = options
    return { pool, patient: pool, lists: { pool, atOnce: LIST_CONNECTIONS }, kind: 'postgres', durability: 'disk', close: async () => {} }
  }
  if ('url' in options) return await openServer(options)
  // Only looked up, as the thread loads it. A CommonJS bundle cannot look it up.
  await importOptional('@electric-sql/pglite', async () => import.meta.resolve?.('@electric-sql/pglite'), 'The embedded database')
  if ('dataDir' in options) return await openFolder(resolve(options.dataDir), onProgress)
  onProgress('creating')
  const pool = createPglitePool(await startPgliteThread())
  return { pool, patient: pool, lists: { pool: pool.behind, atOnce: 1 }, kind: 'pglite', durability: 'none', close: () => pool.end() }
}

async function openServer (options: PostgresPoolOptions): Promise<Opened> {
  const { pool, patient, lists, target } = await createPostgresPools(options)
  const close = async () => { await Promise.all([pool.end(), patient.end(), lists.end()]) }
  try {
    const client = await patient.connect()
    client.release()
    return { pool, patient, lists: { pool: lists, atOnce: LIST_CONNECTIONS }, kind: 'postgres', durability: 'disk', close }
  } catch (error) {
    await close()
    throw connectionProblem(error, target)
  }
}

async function openFolder (dataDir: string, onProgress: (step: DatabaseStep) => void): Promise<Opened> {
  const lock = await lockFolder(dataDir)
  try {
    const pool = await openPgdata(dataDir, onProgress)
    return {
      pool,
      patient: pool,
      lists: { pool: pool.behind, atOnce: 1 },
      kind: 'pglite',
      durability: 'process',
      close: () => pool.end().finally(() => lock.release())
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** One probe at a time: while the database hangs, further calls wait for the one under way rather than pile up behind it. */
function readiness (pool: PostgresPoolSlice): () => Promise<void> {
  let probe: Promise<void> | undefined

  async function ask () {
    const client = await pool.connect()
    let fault: Error | undefined
    try {
      const { rows: [row] } = await client.query("select current_setting('transaction_read_only') as read_only", [])
      if ((row as { read_only: string }).read_only === 'on') fault = new Error('The database is read-only, as a standby is')
    } finally {
      client.release(fault)
    }
    if (fault !== undefined) throw fault
  }

  return async function ready () {
    probe ??= ask().finally(() => { probe = undefined })
    await withDeadline(probe, READY_LIMIT, () => new Error(`The database did not answer within ${READY_LIMIT} ms`))
  }
}

export type { PgdataStep } from './pglite/pgdata.js'
export type { PostgresPoolOptions } from './postgres/pool.js'
export type { CopyPart, PostgresClientSlice, PostgresPoolSlice, PostgresResult } from './postgres/pool-slice.js'
