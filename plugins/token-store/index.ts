import cluster from 'node:cluster'

import fp from 'fastify-plugin'
import type { FastifyPluginAsync } from 'fastify'

import { CountBuffer } from '../../lib/counts/count-buffer.js'
import { COUNT_RETENTION } from '../../lib/counts/count-table.js'
import { INVALID_OPTIONS } from '../../lib/errors.js'
import { watchRoutes } from '../../lib/guard/route-check.js'
import { startSweeper } from '../../lib/sweeper.js'
import { assertWholeNumber, refuseUnknownOptions } from '../../lib/options.js'
import type { KnownOptions } from '../../lib/options.js'
import { isMemoryStore, memoryStore } from './memory/index.js'
import { REFUSED_RETENTION } from '../../contracts/token-store/index.js'
import type { TokenStore } from '../../contracts/token-store/index.js'

/** Options of the `tokenStore` plugin. */
export interface TokenStoreOptions {
  /** Stores keys, sessions, guest tokens and the audit log; closed with the app. Default: memory, with a warning. */
  store?: TokenStore
  /** How long audit entries are kept, milliseconds. Default: 90 days. */
  auditRetention?: number
  /** How long refused events are kept, milliseconds. Default: 7 days. */
  refusedRetention?: number
  /** How long counts by hour are kept, milliseconds, at least a day. Default: 400 days. */
  countRetention?: number
  /** Interval of deleting expired data, milliseconds; 0 disables it, call `sweep` yourself. Default: 60 000. */
  sweepEvery?: number
}

const KNOWN: KnownOptions<TokenStoreOptions> = {
  store: true,
  auditRetention: true,
  refusedRetention: true,
  countRetention: true,
  sweepEvery: true
}
const DAY = 86_400_000
const REQUIRED = [
  'guestTokens',
  'sources',
  'sourceKeys',
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
  'counts',
  'revocations',
  'claim',
  'sweep',
  'ready',
  'close'
] as const satisfies ReadonlyArray<keyof TokenStore>

const tokenStore: FastifyPluginAsync<TokenStoreOptions> = async (app, options) => {
  refuseUnknownOptions('tokenStore', options, KNOWN)
  watchRoutes(app)
  const {
    store,
    auditRetention = 90 * DAY,
    refusedRetention = REFUSED_RETENTION,
    countRetention = COUNT_RETENTION,
    sweepEvery = 60_000
  } = options
  if (store !== undefined) assertStore(store)
  assertWholeNumber('token-store', 'auditRetention', auditRetention, { unit: 'milliseconds' })
  assertWholeNumber('token-store', 'refusedRetention', refusedRetention, { unit: 'milliseconds' })
  assertWholeNumber('token-store', 'countRetention', countRetention, { min: DAY, unit: 'milliseconds' })
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
    sweep: () => chosen.sweep({ auditRetention, refusedRetention, countRetention })
  })
  const outcomeCounts = new CountBuffer({
    write: (counts) => chosen.counts.add(counts),
    onFailure: (error) => app.log.warn(error, 'token-store: counts could not be stored; they are kept and stored later')
  })
  app.decorate('tokenStore', chosen)
  app.decorate('outcomeCounts', outcomeCounts)
  app.addHook('onClose', async () => {
    await stopSweeping()
    await outcomeCounts.close()
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
