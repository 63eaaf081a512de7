import type { TokenStore } from '../../contracts/token-store/index.js'
import { readConfig } from '../config/index.js'
import type { Config } from '../config/index.js'
import { lateLog } from '../late-log.js'
import { openData } from '../open-data.js'
import { openStore } from '../open-store.js'
import { openSecrets } from '../secrets.js'

/** Opens the store of the configuration for one piece of work. With the embedded database, the server must not be running. */
export async function withStore (work: (store: TokenStore, config: Config) => Promise<void>): Promise<void> {
  const config = readConfig(process.env)
  const database = await openData(config, (text) => console.error(text))
  try {
    const { SECRETS_KEY } = await openSecrets(config)
    // Redis too, by which the servers hear of what is done here.
    const { store, close } = await openStore(config, database, SECRETS_KEY, lateLog(console.error))
    await work(store, config).finally(close)
  } finally {
    await database.close()
  }
}
