import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { createPglitePool } from './pool.js'
import { startPgliteThread } from './thread.js'
import { verifyTables } from '../verify-tables.js'
import type { PglitePool } from './pool.js'

const ADVICE = 'Restore it from a backup, or move it elsewhere to start with an empty database.'

/** A step of `openPgdata`. */
export type PgdataStep = 'creating' | 'opening'

/**
 * Opens the embedded database in `<dataDir>/pgdata`; creates it if the folder is empty or missing. The caller holds the
 * folder's lock.
 *
 * @throws an Error that names the folder if its content is not a complete database, which is never replaced
 */
export async function openPgdata (dataDir: string, onStep: (step: PgdataStep) => void): Promise<PglitePool> {
  const pgdata = join(dataDir, 'pgdata')
  if (await isEmpty(pgdata)) {
    onStep('creating')
    await create(dataDir, pgdata)
  }

  onStep('opening')
  try {
    const pool = createPglitePool(await startPgliteThread(pgdata))
    await verifyTables(pool).catch((error: Error) => pool.end().then(() => { throw error }))
    return pool
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`The database in ${pgdata} cannot be opened. ${reason}. ${ADVICE}`, { cause: error })
  }
}

async function isEmpty (pgdata: string): Promise<boolean> {
  const names: string[] = await readdir(pgdata).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  if (names.length === 0) return true
  // Otherwise PGlite would run initdb over the existing files.
  if (!names.includes('PG_VERSION')) {
    throw new Error(`The folder ${pgdata} is damaged: it is not empty but has no PG_VERSION. ${ADVICE}`)
  }
  return false
}

/** Creates the database under a temporary name and renames it, so that an interrupted start leaves no partial one. */
async function create (dataDir: string, pgdata: string): Promise<void> {
  const unfinished = join(dataDir, 'pgdata.unfinished')
  await rm(unfinished, { recursive: true, force: true })
  const thread = await startPgliteThread(unfinished)
  await thread.close()
  await rename(unfinished, pgdata)
  // Flushes the rename: after a power failure the temporary name would be treated as unfinished and deleted.
  if (process.platform !== 'win32') await syncFolder(dataDir)
}

async function syncFolder (folder: string): Promise<void> {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
