import { openDatabase } from '../lib/database/open-database.js'
import type { Database, DatabaseStep } from '../lib/database/open-database.js'
import type { Config } from './config/index.js'

/** Opens the configured PostgreSQL server, or the embedded database in DATA_DIR. Prints a line before a slow step. */
export async function openData (
  { database, dataDir }: Pick<Config, 'database' | 'dataDir'>,
  print: (text: string) => void
): Promise<Database> {
  // The other steps are fast.
  const onProgress = (step: DatabaseStep) => {
    if (step === 'creating') print('Creating the embedded database; this takes some seconds, only once …')
  }
  return await openDatabase(
    database === null ? { dataDir, onProgress } : { url: database.url, maxConnections: database.max, onProgress }
  )
}
