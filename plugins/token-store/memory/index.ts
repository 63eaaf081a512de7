import { refuseUnknownMembers } from '../../../lib/options.js'
import type { KnownOptions } from '../../../lib/options.js'
import type { TokenStore } from '../../../contracts/token-store/index.js'
import { MemoryAudit } from './audit.js'
import { MemoryClaims } from './claims.js'
import { MemoryGuestTokens } from './guest-tokens.js'
import { MemoryRevocations } from './revocations.js'
import { MemorySessions } from './sessions.js'
import { MemorySources } from './sources.js'
import { MemoryUsers } from './users.js'
import { MemoryWebhooks } from './webhooks.js'

/** Options of `memoryStore`. */
export interface MemoryStoreOptions {
  /** The clock, epoch milliseconds. Default: `Date.now`. */
  now?: () => number
  /** Maximum number of claims; a full store rejects `claim` with `UNAVAILABLE`. Default: 100 000. */
  maxClaims?: number
}

const KNOWN: KnownOptions<MemoryStoreOptions> = { now: true, maxClaims: true }
const memoryStores = new WeakSet<object>()

/** Whether a store was created by `memoryStore`. */
export function isMemoryStore (store: TokenStore): boolean {
  return memoryStores.has(store)
}

/**
 * Creates a token store in memory, for tests and experiments. Its data is lost when the process ends and is not visible
 * to other processes. Throws `INVALID_OPTIONS` for an unknown option.
 *
 * @example
 * app.register(tokenStore, { store: memoryStore() })
 */
export function memoryStore (options: MemoryStoreOptions = {}): TokenStore {
  refuseUnknownMembers('memoryStore', '', options, KNOWN)
  const { now = Date.now, maxClaims = 100_000 } = options
  const guestTokens = new MemoryGuestTokens(now)
  const sources = new MemorySources(now, (id) => webhooks.sourceChanged(id))
  const webhooks = new MemoryWebhooks(now, (id) => sources.find(id))
  const users = new MemoryUsers(now, (userId, except) => sessions.drop(userId, except))
  const sessions = new MemorySessions(now, users)
  const audit = new MemoryAudit()
  const revocations = new MemoryRevocations(now)
  const claims = new MemoryClaims(now, maxClaims)

  const store: TokenStore = {
    guestTokens,
    sources,
    webhooks,
    users,
    sessions,
    audit,
    revocations,
    claim: (key, ttl) => claims.claim(key, ttl),
    async sweep ({ auditRetention }) {
      for (const part of [guestTokens, sources, webhooks, users, sessions, claims]) part.sweep()
      audit.sweep(now() - auditRetention)
    },
    ready: async () => {},
    close: async () => {}
  }
  memoryStores.add(store)
  return store
}
