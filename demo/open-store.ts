import type { Database } from '../plugins/database/open-database.js'
import { openRedis } from '../plugins/redis/open-redis.js'
import { sqlStore } from '../plugins/token-store/sql/index.js'
import type { TokenStore } from '../plugins/token-store/store.js'
import type { Config } from './config.js'

export interface OpenedStore {
  store: TokenStore
  /** Whether Redis does not answer just now; never where none is configured. */
  redisAway (): boolean
  close (): Promise<void>
}

/** The token store on a database, with Redis in front of it where the configuration names one. */
export async function openStore (
  { redis }: Pick<Config, 'redis'>, database: Database, secretsKeys: readonly string[], warn: (text: string, error?: Error) => void
): Promise<OpenedStore> {
  if (redis === null) return opened(sqlStore(database, { secretsKeys }))
  const { link, close } = await openRedis({
    url: redis.url,
    onAway: (error) => warn('Redis is away: keys are looked up in the database, and each instance counts rate limits for itself', error),
    onBack: () => warn('Redis is back')
  })
  try {
    return opened(sqlStore(database, { secretsKeys, redis: link }), () => link.away, close)
  } catch (error) {
    await close()
    throw error
  }
}

function opened (store: TokenStore, redisAway = () => false, closeRedis = async () => {}): OpenedStore {
  return {
    store,
    redisAway,
    async close () {
      await store.close()
      await closeRedis()
    }
  }
}
