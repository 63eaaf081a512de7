import type { TokenStore } from '../../contracts/token-store/index.js'
import { readTaskConfig } from '../config/index.js'
import type { Config } from '../config/index.js'
import { lateLog } from '../late-log.js'
import { openData } from '../open-data.js'
import { openStore } from '../open-store.js'
import { openSecrets } from '../secrets.js'

/** Opens the configured store for one task. With the embedded database, the server must be stopped first. */
export async function withStore (work: (store: TokenStore, config: Config) => Promise<void>): Promise<void> {
  const config = readTaskConfig(process.env)
  const database = await openData(config, (text) => console.error(text))
  try {
    const { SECRETS_KEY } = await openSecrets(config)
    // Opens Redis too, which notifies running servers of the changes.
    const { store, close } = await openStore(config, database, SECRETS_KEY, lateLog(console.error))
    await work(store, config).finally(close)
  } finally {
    await database.close()
  }
}
