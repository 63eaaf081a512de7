import cluster from 'node:cluster'

import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { INVALID_OPTIONS } from '../../lib/errors.js'
import { watchRoutes } from '../../lib/guard/route-check.js'
import { startSweeper } from '../../lib/sweeper.js'
import { assertWholeNumber, refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { isMemoryStore, memoryStore } from './memory/index.js'
import type { TokenStore } from '../../contracts/token-store/index.js'

/** Options of the `tokenStore` plugin. */
export interface TokenStoreOptions {
  /** Stores keys, sessions, guest tokens and the audit log; closed with the app. Default: memory, with a warning. */
  store?: TokenStore
  /** How long audit entries are kept, milliseconds. Default: 90 days. */
  auditRetention?: number
  /** Interval of deleting expired data, milliseconds; 0 disables it, call `sweep` yourself. Default: 60 000. */
  sweepEvery?: number
}

const KNOWN: KnownOptions<TokenStoreOptions> = { store: true, auditRetention: true, sweepEvery: true }
const DAY = 86_400_000
const REQUIRED = [
  'guestTokens',
  'sources',
  'webhooks',
  'organisations',
  'users',
  'members',
  'invitations',
  'accountLinks',
  'sessions',
  'factors',
  'apiKeys',
  'audit',
  'revocations',
  'claim',
  'sweep',
  'ready',
  'close'
] as const satisfies ReadonlyArray<keyof TokenStore>

const tokenStore: FastifyPluginAsync<TokenStoreOptions> = async (app, options) => {
  refuseUnknownOptions('tokenStore', options, KNOWN)
  watchRoutes(app)
  const { store, auditRetention = 90 * DAY, sweepEvery = 60_000 } = options
  if (store !== undefined) assertStore(store)
  assertWholeNumber('token-store', 'auditRetention', auditRetention, { unit: 'milliseconds' })
  if (store === undefined) {
    app.log.warn('token-store: no "store" is set; all data is kept in memory and lost when this process ends')
  }

  const chosen = store ?? memoryStore()
  if (cluster.isWorker && isMemoryStore(chosen)) {
    app.log.warn(
      'token-store: this cluster worker keeps all data in its own memory and does not see the sessions, keys and ' +
        'used tokens of other workers; use sqlStore() with PostgreSQL'
    )
  }
  const stopSweeping = startSweeper(app, {
    name: 'token-store',
    sweepEvery,
    sweep: () => chosen.sweep({ auditRetention })
  })
  app.decorate('tokenStore', chosen)
  app.addHook('onClose', async () => {
    await stopSweeping()
    await chosen.close()
  })
}

function assertStore (store: TokenStore): void {
  const missing = typeof store === 'object' && store !== null
    ? REQUIRED.filter((name) => store[name] === undefined)
    : REQUIRED
  if (missing.length > 0) {
    throw new INVALID_OPTIONS(
      `token-store: "store" is not a token store, it lacks ${missing.join(', ')}; ` +
        'create one with memoryStore() or sqlStore()'
    )
  }
}

export default fp(tokenStore, { name: 'gatehouse-token-store', fastify: '5.x' })
export { LookupCache } from '../../lib/lookup-cache.js'
export type { LookupCacheOptions } from '../../lib/lookup-cache.js'
export { loginSubject } from './login-subject.js'
export { memoryStore } from './memory/index.js'
export type { MemoryStoreOptions } from './memory/index.js'
export { SOURCE_DEFAULTS } from './source-settings.js'
export * from '../../contracts/token-store/index.js'
