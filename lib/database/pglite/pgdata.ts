import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { createPglitePool } from './pool.js'
import { startPgliteThread } from './thread.js'
import { verifyTables } from '../verify-tables.js'
import type { PglitePool } from './pool.js'

const WAYS_OUT = 'Restore it from a backup, or move it away to start with an empty database.'

export type PgdataStep = 'creating' | 'opening'

/**
 * Opens the embedded database in `<dataDir>/pgdata`, making it first when there is none. The caller holds the folder's lock.
 *
 * @throws an Error that names the folder when what is there is not a whole database: it is never replaced by an empty one
 */
export async function openPgdata (dataDir: string, onStep: (step: PgdataStep) => void): Promise<PglitePool> {
  const pgdata = join(dataDir, 'pgdata')
  if (await isNew(pgdata)) {
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
    throw new Error(`The database in ${pgdata} cannot be opened. ${reason}. ${WAYS_OUT}`, { cause: error })
  }
}

async function isNew (pgdata: string): Promise<boolean> {
  const names: string[] = await readdir(pgdata).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  if (names.length === 0) return true
  // PGlite would run initdb over whatever else is there.
  if (!names.includes('PG_VERSION')) {
    throw new Error(`The folder ${pgdata} is damaged: it is not empty but has no PG_VERSION. ${WAYS_OUT}`)
  }
  return false
}

/** Made under another name and renamed when whole: a start that was interrupted leaves nothing that looks like a database. */
async function create (dataDir: string, pgdata: string): Promise<void> {
  const unfinished = join(dataDir, 'pgdata.unfinished')
  await rm(unfinished, { recursive: true, force: true })
  const thread = await startPgliteThread(unfinished)
  await thread.close()
  await rename(unfinished, pgdata)
  // After a power cut the old name would be taken for an unfinished one and removed, so the rename goes to the disk now.
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
