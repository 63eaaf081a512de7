import { openDatabase } from 'fastify-gatehouse/database'
import { sqlSink } from 'fastify-gatehouse/event-sink/sql'
import { sqlStore } from 'fastify-gatehouse/token-store/sql'

/**
 * Opens PostgreSQL at `DATABASE_URL`. Without it, opens the embedded database in the folder `DATA_DIR`, which runs the
 * same SQL in this process.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export async function openStore (env) {
  const { DATABASE_URL, DATA_DIR = '.data', SECRETS_KEY = '' } = env
  const database = await openDatabase(DATABASE_URL ? { url: DATABASE_URL } : { dataDir: DATA_DIR })
  try {
    return { database, store: sqlStore(database, { secretsKeys: [SECRETS_KEY] }), sink: await sqlSink(database) }
  } catch (error) {
    await database.close()
    throw error
  }
}
