import { sqlStore } from '../../plugins/token-store/sql/index.js'
import type { TokenStore } from '../../plugins/token-store/store.js'
import { readConfig } from '../config.js'
import type { Config } from '../config.js'
import { openData } from '../open-data.js'
import { openSecrets } from '../secrets.js'

/** Opens the store of the configuration for one piece of work. With the embedded database, the server must not be running. */
export async function withStore (work: (store: TokenStore, config: Config) => Promise<void>): Promise<void> {
  const config = readConfig(process.env)
  const database = await openData(config, (text) => console.error(text))
  try {
    const { SECRETS_KEY } = await openSecrets(config)
    const store = sqlStore(database, { secretsKeys: SECRETS_KEY })
    await work(store, config)
    await store.close()
  } finally {
    await database.close()
  }
}
