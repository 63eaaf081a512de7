import type { FastifyInstance } from 'fastify'
import type t from 'tap'

import { buildApp } from '../../server/app.js'
import { readConfig } from '../../server/config/index.js'
import { firstStart } from '../../server/first-start.js'
import type { FirstStart } from '../../server/first-start.js'
import { startIdentityMocks } from '../../server/identity-mocks.js'
import type { IdentityMocks } from '../../server/identity-mocks.js'
import { openMail } from '../../server/mail/index.js'
import { startProducts } from '../../server/products.js'
import type { Products } from '../../server/products.js'
import { openSecrets } from '../../server/secrets.js'
import type { Secrets } from '../../server/secrets.js'
import { memorySink } from '../../plugins/event-sink/memory/index.js'
import { createPasswordsOfAnyCost } from '../../lib/passwords/index.js'
import { memoryStore } from '../../plugins/token-store/memory/index.js'
import type { TokenStore } from '../../contracts/token-store/index.js'
import { freePort } from './free-port.js'
import { logReader } from './log-reader.js'
import type { LogReader } from './log-reader.js'
import { temporaryFolder } from './server-process.js'

export interface DemoApp {
  app: FastifyInstance
  products: Products
  secrets: Secrets
  store: TokenStore
  first: FirstStart
  log: LogReader
  /** The mock identity providers; `null` without `identityMocks`. */
  mocks: IdentityMocks | null
}

/**
 * The built-in server's app over memory, with real mock products and, with `identityMocks`, mock identity providers.
 * With `listen` they can call it back.
 */
export async function demoApp (
  test: Pick<typeof t, 'teardown'>,
  variables: Record<string, string> = {},
  { listen = false, identityMocks = false } = {}
): Promise<DemoApp> {
  const config = readConfig({ DATA_DIR: await temporaryFolder(test), LOG_LEVEL: 'trace', ...variables })
  const port = listen ? await freePort() : 3000
  const origins = [`http://127.0.0.1:${port}`, `http://localhost:${port}`] as const
  const products = await startProducts(config, origins)
  test.teardown(() => products.close())
  const mocks = identityMocks ? await startIdentityMocks(config, origins[0]) : null
  test.teardown(async () => mocks?.close())
  const [secrets, store, log] = [await openSecrets(config), memoryStore(), logReader()]
  const mail = await openMail(config)
  const app = await buildApp({
    config,
    secrets,
    products,
    store,
    sink: memorySink(),
    durability: 'none',
    mail,
    identityMocks: mocks,
    origins: [...origins],
    logStream: log.stream
  })
  test.teardown(async () => {
    // A browser may be in the middle of something, or keep connections in reserve.
    const cutting = setInterval(() => app.server.closeAllConnections(), 20)
    await app.close()
    mail.close()
    clearInterval(cutting)
  })
  const passwords = await createPasswordsOfAnyCost({ memoryCost: 1024, timeCost: 1 })
  const first = await firstStart(store, passwords, config.admin, config.production ? null : origins)
  if (first === null) throw new Error('not the first start')
  if (listen) await app.listen({ host: '127.0.0.1', port })
  return { app, products, secrets, store, first, log, mocks }
}
