import { openDatabase } from '../lib/database/open-database.js'
import type { Database, DatabaseStep } from '../lib/database/open-database.js'
import type { Config } from './config/index.js'

/** Opens PostgreSQL where the configuration names one, else the embedded database in DATA_DIR, and says what takes time. */
export async function openData ({ database, dataDir }: Pick<Config, 'database' | 'dataDir'>, print: (text: string) => void): Promise<Database> {
  // The other steps take no time to speak of.
  const onProgress = (step: DatabaseStep) => { if (step === 'creating') print('Making the embedded database; this takes some seconds, once …') }
  return await openDatabase(database === null ? { dataDir, onProgress } : { url: database.url, maxConnections: database.max, onProgress })
}
