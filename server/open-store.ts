import type { Database } from '../lib/database/open-database.js'
import { openRedis } from '../lib/redis/open-redis.js'
import { sqlStore } from '../plugins/token-store/sql/index.js'
import type { TokenStore } from '../contracts/token-store/index.js'
import type { Config } from './config/index.js'
import type { PartsLog } from './late-log.js'

export interface OpenedStore {
  store: TokenStore
  close(): Promise<void>
}

/** Opens the token store on a database, with Redis as a cache if it is configured. */
export async function openStore (
  { redis }: Pick<Config, 'redis'>,
  database: Database,
  secretsKeys: readonly string[],
  log: PartsLog
): Promise<OpenedStore> {
  if (redis === null) return opened(sqlStore(database, { secretsKeys }))
  const { link, close } = await openRedis({
    url: redis.url,
    onAway: (error) =>
      log.warn(
        error,
        'Redis is unavailable: keys are looked up in the database, and each instance counts rate limits separately'
      ),
    onBack: () => log.warn({}, 'Redis is available again')
  })
  try {
    return opened(sqlStore(database, { secretsKeys, redis: link }), close)
  } catch (error) {
    await close()
    throw error
  }
}

function opened (store: TokenStore, closeRedis = async () => {}): OpenedStore {
  return {
    store,
    async close () {
      await store.close()
      await closeRedis()
    }
  }
}
