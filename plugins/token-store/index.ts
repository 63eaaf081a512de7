import cluster from 'node:cluster'

import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { INVALID_OPTIONS } from '../../lib/errors.js'
import { watchRoutes } from '../../lib/guard/route-check.js'
import { startSweeper } from '../../lib/sweeper.js'
import { refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { isMemoryStore, memoryStore } from './memory/index.js'
import type { TokenStore } from '../../contracts/token-store/index.js'

export interface TokenStoreOptions {
  /** Where keys, sessions, guest tokens and the audit trail live; closed with the app. Default: this process's memory, with a warning. */
  store?: TokenStore
  /** How long audit entries are kept, milliseconds. Default: 90 days. */
  auditRetention?: number
  /** How often expired things are removed, milliseconds; 0: never, something else calls `sweep`. Default: 60 000. */
  sweepEvery?: number
}

const KNOWN: KnownOptions<TokenStoreOptions> = { store: true, auditRetention: true, sweepEvery: true }
const DAY = 86_400_000
const PARTS = ['guestTokens', 'sources', 'webhooks', 'users', 'sessions', 'audit', 'revocations', 'claim', 'sweep', 'ready', 'close'] as const satisfies ReadonlyArray<keyof TokenStore>

const tokenStore: FastifyPluginAsync<TokenStoreOptions> = async (app, options) => {
  refuseUnknownOptions('tokenStore', options, KNOWN)
  watchRoutes(app)
  const { store, auditRetention = 90 * DAY, sweepEvery = 60_000 } = options
  if (store !== undefined) assertStore(store)
  if (!Number.isFinite(auditRetention) || auditRetention <= 0) throw new INVALID_OPTIONS('token-store: "auditRetention" must be a positive number of milliseconds')
  if (store === undefined) app.log.warn('token-store: no "store" is given; everything is kept in memory and is lost when this process ends')

  const own = store ?? memoryStore()
  if (cluster.isWorker && isMemoryStore(own)) {
    app.log.warn('token-store: this cluster worker keeps everything in its own memory; sessions, keys and used tokens of other workers are unknown to it. Use sqlStore() on PostgreSQL')
  }
  const stopSweeping = startSweeper(app, { name: 'token-store', sweepEvery, sweep: () => own.sweep({ auditRetention }) })
  app.decorate('tokenStore', own)
  app.addHook('onClose', async () => {
    await stopSweeping()
    await own.close()
  })
}

function assertStore (store: TokenStore): void {
  const missing = typeof store === 'object' && store !== null ? PARTS.filter((part) => store[part] === undefined) : PARTS
  if (missing.length > 0) throw new INVALID_OPTIONS(`token-store: "store" is no token store, it lacks ${missing.join(', ')}; make one with memoryStore() or sqlStore()`)
}

export default fp(tokenStore, { name: 'gatehouse-token-store', fastify: '5.x' })
export { LookupCache } from '../../lib/lookup-cache.js'
export type { LookupCacheOptions } from '../../lib/lookup-cache.js'
export { loginSubject } from './login-subject.js'
export { memoryStore } from './memory/index.js'
export type { MemoryStoreOptions } from './memory/index.js'
export { SOURCE_DEFAULTS } from './source-settings.js'
export * from '../../contracts/token-store/index.js'
