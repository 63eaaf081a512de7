import { resolve } from 'node:path'

import type { Kysely, PostgresPool } from 'kysely'

import type { PoolUsage, ReadPools } from '../../contracts/backend-load.js'
import { withDeadline } from '../deadline.js'
import { refuseUnknownMembers } from '../options.js'
import type { KnownOptions } from '../options.js'
import { importOptional, importOptionalLater } from '../optional-package.js'
import { connectError } from './connect-error.js'
import { lockFolder } from './pglite/folder-lock.js'
import { listReads } from './list/reads.js'
import type { ListReads } from './list/reads.js'
import type { Migration } from './migrator.js'
import { openPgdata } from './pglite/pgdata.js'
import { createPglitePool } from './pglite/pool.js'
import { startPgliteThread } from './pglite/thread.js'
import { createCopier } from './postgres/copy.js'
import { createPostgresPools, LIST_CONNECTIONS } from './postgres/pool.js'
import type { PgdataStep } from './pglite/pgdata.js'
import type { PostgresPoolOptions } from './postgres/pool.js'
import type { CopyPart, PostgresPoolSlice } from './postgres/pool-slice.js'
import type { DatabaseSchema } from './schema.js'

const READY_TIMEOUT = 2_000

/** The failure that a confirmed write survives: `none`, a crash of the process, or a power failure (`disk`). */
export type Durability = 'none' | 'process' | 'disk'

/** An open database, as `openDatabase` returns it. */
export interface Database {
  db: Kysely<DatabaseSchema>
  /**
   * The database without the pool's time limits, for migrations and cleanup. A pool that was passed in keeps its own.
   */
  patient: Kysely<DatabaseSchema>
  /** Runs the statements of lists: on separate connections of a server, at low priority in the embedded database. */
  lists: ListReads
  kind: 'pglite' | 'postgres'
  durability: Durability
  /** Copies rows into tables in one transaction; `null` where COPY is not supported, as in the embedded database. */
  copy: ((parts: readonly CopyPart[]) => Promise<void>) | null
  /** Returns the usage of the connection pools at this moment; a pool without counters is left out. */
  pools: ReadPools
  /** Resolves when the database responds; rejects when it fails or does not respond within 2 s. */
  ready(): Promise<void>
  /** Waits for running queries, then closes what `openDatabase` opened. A pool that was passed in stays open. */
  close(): Promise<void>
}

/** A step of `openDatabase`. */
export type DatabaseStep = PgdataStep | 'migrating'

/** Options of `openDatabase` for every kind of database. */
export interface OpenDatabaseOptions {
  /** Called at each step: creating an embedded database takes some seconds. Default: none. */
  onProgress?: (step: DatabaseStep) => void
  /** @internal */
  migrations?: Record<string, Migration>
}

/** The database to open: an embedded one in a folder, a server by URL, an existing `pg` pool, or one in memory. */
export type DatabaseLocation =
  | { dataDir: string }
  | PostgresPoolOptions
  | { pool: PostgresPoolSlice }
  | { memory: true }

const COMMON_OPTIONS: KnownOptions<OpenDatabaseOptions> = { onProgress: true, migrations: true }
const URL_OPTIONS: KnownOptions<PostgresPoolOptions> = {
  url: true,
  maxConnections: true,
  queryTimeout: true,
  onIdleError: true,
  onWarning: true
}

interface OpenedPools {
  pool: PostgresPoolSlice
  patient: PostgresPoolSlice
  lists: { pool: PostgresPoolSlice, concurrency: number }
  kind: Database['kind']
  durability: Durability
  close: () => Promise<void>
}

/**
 * Opens a database and migrates its tables. If it rejects, it leaves nothing open or locked.
 *
 * @throws {FolderLocked} when another live process uses `dataDir`
 * @throws {Error} that says what to do when the data is damaged, the database belongs to a newer version or cannot be
 * reached, or a package is missing
 *
 * @example
 * const database = await openDatabase({ url: 'postgres://app@localhost/app' })
 * app.register(eventSink, { sink: await sqlSink(database) })
 */
export async function openDatabase (options: DatabaseLocation & OpenDatabaseOptions): Promise<Database> {
  refuseUnknownMembers('openDatabase', '', options, { ...knownOptionsFor(options), ...COMMON_OPTIONS })
  const loadKysely = await importOptionalLater('kysely', () => import('kysely'), 'A database')
  // Opens the database while the modules load: Kysely has 262 files.
  const loading = Promise.all([loadKysely(), import('./migrate.js'), import('./postgres/inspect.js')])
  loading.catch(() => {})
  const onProgress = options.onProgress ?? (() => {})

  const { pool, patient: patientPool, lists, kind, durability, close } = await open(options, onProgress)
  try {
    const [{ Kysely, PostgresDialect }, { migrate }, { inspectPostgres }] = await loading
    // `PostgresPoolSlice` lacks cursors, which only `stream()` uses.
    const kysely = (pool: PostgresPoolSlice) =>
      new Kysely<DatabaseSchema>({ dialect: new PostgresDialect({ pool: pool as PostgresPool }) })
    const db = kysely(pool)
    const patient = pool === patientPool ? db : kysely(patientPool)
    const listReader = listReads(pool === lists.pool ? db : kysely(lists.pool), lists.concurrency)
    const actualDurability = kind === 'postgres' ? await inspectPostgres(patient) : durability
    onProgress('migrating')
    await migrate(patient, options.migrations)
    const copy = kind === 'postgres' ? await createCopier(pool) : null
    let closed: Promise<void> | undefined
    return {
      db,
      patient,
      lists: listReader,
      kind,
      durability: actualDurability,
      copy,
      pools: poolReader({ requests: pool, lists: lists.pool, maintenance: patientPool }),
      ready: createReadyCheck(pool),
      close: () => (closed ??= close())
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Returns the known options for the chosen kind of database. */
function knownOptionsFor (options: DatabaseLocation): KnownOptions<object> {
  if ('pool' in options) return { pool: true }
  if ('url' in options) return URL_OPTIONS
  if ('dataDir' in options) return { dataDir: true }
  return 'memory' in options ? { memory: true } : { dataDir: true, ...URL_OPTIONS, pool: true, memory: true }
}

async function open (options: DatabaseLocation, onProgress: (step: DatabaseStep) => void): Promise<OpenedPools> {
  if ('pool' in options) {
    const { pool } = options
    return {
      pool,
      patient: pool,
      lists: { pool, concurrency: LIST_CONNECTIONS },
      kind: 'postgres',
      durability: 'disk',
      close: async () => {}
    }
  }
  if ('url' in options) return await openServer(options)
  // Only resolves the package, as the worker thread loads it. A CommonJS bundle has no `import.meta.resolve`.
  await importOptional(
    '@electric-sql/pglite',
    async () => import.meta.resolve?.('@electric-sql/pglite'),
    'The embedded database'
  )
  if ('dataDir' in options) return await openFolder(resolve(options.dataDir), onProgress)
  onProgress('creating')
  const pool = createPglitePool(await startPgliteThread())
  return {
    pool,
    patient: pool,
    lists: { pool: pool.background, concurrency: 1 },
    kind: 'pglite',
    durability: 'none',
    close: () => pool.end()
  }
}

async function openServer (options: PostgresPoolOptions): Promise<OpenedPools> {
  const { pool, patient, lists, target } = await createPostgresPools(options)
  const close = async () => {
    await Promise.all([pool.end(), patient.end(), lists.end()])
  }
  try {
    const client = await patient.connect()
    client.release()
    return {
      pool,
      patient,
      lists: { pool: lists, concurrency: LIST_CONNECTIONS },
      kind: 'postgres',
      durability: 'disk',
      close
    }
  } catch (error) {
    await close()
    throw connectError(error, target)
  }
}

async function openFolder (dataDir: string, onProgress: (step: DatabaseStep) => void): Promise<OpenedPools> {
  const lock = await lockFolder(dataDir)
  try {
    const pool = await openPgdata(dataDir, onProgress)
    return {
      pool,
      patient: pool,
      lists: { pool: pool.background, concurrency: 1 },
      kind: 'pglite',
      durability: 'process',
      close: () => pool.end().finally(() => lock.release())
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** A pool that serves several purposes is reported once, under the first of them. */
function poolReader (named: Record<PoolUsage['pool'], PostgresPoolSlice>): ReadPools {
  const pools = Object.entries(named) as Array<[PoolUsage['pool'], PostgresPoolSlice]>
  const distinct = pools.filter(([, pool], at) => pools.findIndex(([, other]) => other === pool) === at)
  return () =>
    distinct.flatMap(([pool, { totalCount, idleCount = 0, waitingCount = 0 }]) =>
      totalCount === undefined ? [] : [{ pool, inUse: totalCount - idleCount, idle: idleCount, waiting: waitingCount }]
    )
}

/** One probe at a time: concurrent calls share it, so that probes do not queue up while the database hangs. */
function createReadyCheck (pool: PostgresPoolSlice): () => Promise<void> {
  let probe: Promise<void> | undefined

  async function check () {
    const client = await pool.connect()
    let error: Error | undefined
    try {
      const { rows: [row] } = await client.query("select current_setting('transaction_read_only') as read_only", [])
      if ((row as { read_only: string }).read_only === 'on') {
        error = new Error('The database is read-only; it may be a standby')
      }
    } finally {
      client.release(error)
    }
    if (error !== undefined) throw error
  }

  return async function ready () {
    probe ??= check().finally(() => {
      probe = undefined
    })
    await withDeadline(probe, READY_TIMEOUT, () => new Error(`The database did not respond within ${READY_TIMEOUT} ms`))
  }
}

export type { PgdataStep } from './pglite/pgdata.js'
export type { PostgresPoolOptions } from './postgres/pool.js'
export type { CopyPart, PostgresClientSlice, PostgresPoolSlice, PostgresResult } from './postgres/pool-slice.js'
