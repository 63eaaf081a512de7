import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { openDatabase } from '../lib/database/open-database.js'
import type { Database, DatabaseStep } from '../lib/database/open-database.js'
import { checkAdminPassword } from './admin-password.js'
import type { Config } from './config/index.js'

/**
 * Opens the configured PostgreSQL server, or the embedded database in DATA_DIR. Prints a line before a slow step.
 *
 * @throws ConfigError for a weak ADMIN_PASSWORD, before it creates an embedded database
 */
export async function openData (
  { database, dataDir, admin }: Pick<Config, 'database' | 'dataDir' | 'admin'>,
  print: (text: string) => void
): Promise<Database> {
  if (database === null && !existsSync(join(dataDir, 'pgdata'))) await checkAdminPassword(admin)
  // The other steps are fast.
  const onProgress = (step: DatabaseStep) => {
    if (step === 'creating') print('Creating the embedded database; this takes some seconds, only once …')
  }
  return await openDatabase(
    database === null ? { dataDir, onProgress } : { url: database.url, maxConnections: database.max, onProgress }
  )
}
